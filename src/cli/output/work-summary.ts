import type { AssetReport, Run } from '../../state/runs.ts';
import { ruleOf, type FaultCode } from '../../errors/table.ts';
import type { FaultRecord } from '../../errors/fault-record.ts';
import type { WorkPlan, WorkResult } from '../../engine/core/work.ts';
import { count, table, type Console } from './console.ts';
import { isoTime } from './documents.ts';

const SYMBOLS_SHOWN_MAX = 5;

/** The result of `run`, `backfill` and `heal` for a person: each asset, what is pending, and of a failure what is safe, what happens next and what to run. */
export function workSummary(screen: Console, result: WorkResult, resume: string | null): string {
  const lines = result.runs.flatMap((run) => runLines(screen, run));
  if (result.runs.length === 0 && result.error === null) lines.push('nothing to do');
  lines.push(accountLine(screen, result));
  if (result.error !== null) lines.push(...failureLines(screen, result.error, nextStep(result)));
  if (resume !== null) lines.push(`  you can  ${resume}`);
  else if (isOnlyRemoved(result)) lines.push('  you can  candlekeep symbols list');
  return lines.join('\n');
}

/** True when all that failed are symbols off the active list of which no candle is due: the same request brings nothing more. */
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
  const failed = Object.entries(asset.errors);
  const errors =
    failed.length === 0
      ? ''
      : `  ${failed
          .slice(0, SYMBOLS_SHOWN_MAX)
          .map(([symbol, code]) => `${symbol} ${code}`)
          .join(', ')}${failed.length > SYMBOLS_SHOWN_MAX ? `, +${failed.length - SYMBOLS_SHOWN_MAX}` : ''}`;
  return `  ${asset.asset.padEnd(24)} ${asset.outcome.padEnd(9)} ${symbols}, ${count(asset.output_rows, 'row')}${removed}${errors}`;
}

function accountLine(screen: Console, { pending, nextAttemptAtMs }: WorkResult): string {
  if (pending === 0) return screen.colour('green', 'every candle of these days is accounted for');
  return screen.colour(
    'yellow',
    `${count(pending, 'candle')} pending${nextAttemptAtMs === null ? '' : `, asked again from ${isoTime(nextAttemptAtMs)}`}`,
  );
}

const nextStep = ({ pending, nextAttemptAtMs }: WorkResult): string =>
  pending === 0 || nextAttemptAtMs === null
    ? 'nothing by itself'
    : `candlekeep heal asks for the pending ${count(pending, 'candle')} again from ${isoTime(nextAttemptAtMs)}; the next run continues here`;

/** The four things an operator needs: what failed, what is safe, what happens next, what to run. */
export function failureLines(screen: Console, record: FaultRecord, next: string): string[] {
  return [
    `${screen.colour('red', `error[${record.code}]`)} ${record.message}`,
    '  safe     everything stored before this; bronze keeps every answer',
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

/** What the venue's limit alone makes it take. */
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
