import type { AssetReport, Run } from '../../state/runs.ts';
import { ruleOf, type FaultCode } from '../../errors/table.ts';
import type { FaultRecord } from '../../errors/fault-record.ts';
import type { WorkPlan, WorkResult } from '../../engine/core/work.ts';
import { count, table, type Console } from './console.ts';
import { isoTime } from './schema.ts';

const SYMBOLS_SHOWN_MAX = 5;

/**
 * The result of `run`, `backfill` and `heal` for a person: each asset and what is pending; of a failure also what is
 * safe, what happens next and what to run.
 */
export function workSummary(screen: Console, result: WorkResult, resume: string | null): string {
  const lines = result.runs.flatMap((run) => runLines(screen, run));
  if (result.runs.length === 0 && result.error === null) lines.push('nothing to do');
  lines.push(accountLine(screen, result));
  if (result.error !== null) lines.push(...failureLines(screen, result.error, nextStep(result)));
  if (resume !== null) lines.push(`  you can  ${resume}`);
  else if (isOnlyRemoved(result)) lines.push('  you can  candlekeep symbols list');
  return lines.join('\n');
}

/** True if only symbols off the active list failed and no candle is due: repeating the request would bring nothing. */
export function isOnlyRemoved({ error, pending, runs }: WorkResult): boolean {
  const assets = runs.flatMap((run) => run.assets).filter(({ outcome }) => outcome !== 'complete');
  const isRemoved = (codes: readonly FaultCode[]): boolean =>
    codes.length > 0 && codes.every((code) => ruleOf(code).consequence === 'removed');
  return (
    error === null &&
    pending === 0 &&
    assets.length > 0 &&
    assets.every(({ errors }) => isRemoved(Object.values(errors)))
  );
}

function runLines(screen: Console, run: Run): string[] {
  const days = run.partition === run.partitionEnd ? run.partition : `${run.partition}..${run.partitionEnd}`;
  const outcome = run.outcome ?? run.status;
  const colour = outcome === 'complete' ? 'green' : outcome === 'failed' ? 'red' : 'yellow';
  return [
    `${screen.colour('bold', run.id)}  ${run.interval}  ${days}  ${screen.colour(colour, outcome)}`,
    ...run.assets.map(assetLine),
  ];
}

export function assetLine(asset: AssetReport): string {
  const symbols = `${asset.symbols_ok} of ${asset.symbols_ok + asset.symbols_failed} symbols`;
  const removed = asset.removed_rows > 0 ? `, ${asset.removed_rows} quarantined` : '';
  const failed = Object.entries(asset.errors).map(([symbol, code]) => `${symbol} ${code}`);
  const more = failed.length > SYMBOLS_SHOWN_MAX ? `, +${failed.length - SYMBOLS_SHOWN_MAX}` : '';
  const errors = failed.length === 0 ? '' : `  ${failed.slice(0, SYMBOLS_SHOWN_MAX).join(', ')}${more}`;
  const rows = count(asset.output_rows, 'row');
  return `  ${asset.asset.padEnd(24)} ${asset.outcome.padEnd(9)} ${symbols}, ${rows}${removed}${errors}`;
}

function accountLine(screen: Console, { pending, nextAttemptAtMs }: WorkResult): string {
  if (pending === 0) return screen.colour('green', 'every candle of these days is accounted for');
  const next = nextAttemptAtMs === null ? '' : `, next attempt ${isoTime(nextAttemptAtMs)}`;
  return screen.colour('yellow', `${count(pending, 'candle')} pending${next}`);
}

const nextStep = ({ pending, nextAttemptAtMs }: WorkResult): string =>
  pending === 0 || nextAttemptAtMs === null
    ? 'nothing by itself'
    : `candlekeep heal requests the ${count(pending, 'pending candle')} again from ${isoTime(nextAttemptAtMs)}; ` +
      'the next run continues here';

/** What failed, what is safe, what happens next and what to run. */
export function failureLines(screen: Console, record: FaultRecord, next: string): string[] {
  return [
    `${screen.colour('red', `error[${record.code}]`)} ${record.message}`,
    '  safe     everything stored before this; bronze keeps every response',
    `  next     ${next}`,
    `  hint     ${ruleOf(record.code).hint}`,
    `  more     candlekeep explain ${record.code}`,
  ];
}

export function planTable({ estimates, total }: WorkPlan): string {
  const rows = estimates.map((one) => [
    one.exchange,
    one.interval,
    `${one.days.start}..${one.days.end}`,
    one.runs,
    one.series,
    one.candles,
    one.requests,
    one.weight,
    leastTime(one.floorMs),
  ]);
  return table(
    ['exchange', 'interval', 'days', 'runs', 'series', 'candles', 'requests', 'weight', 'at least'],
    [...rows, ['total', '', '', total.runs, total.series, total.candles, total.requests, '', leastTime(total.floorMs)]],
  );
}

/** The duration that the exchange's rate limit alone imposes. */
function leastTime(floorMs: number): string {
  const [hours, minutes, seconds] = [
    Math.floor(floorMs / 3_600_000),
    Math.floor(floorMs / 60_000) % 60,
    Math.ceil((floorMs % 60_000) / 1_000),
  ];
  return [
    ...(hours > 0 ? [`${hours} h`] : []),
    ...(hours > 0 || minutes > 0 ? [`${minutes} min`] : []),
    ...(hours > 0 ? [] : [`${seconds} s`]),
  ].join(' ');
}
