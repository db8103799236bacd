import { exchangeOfAsset, GOLD_ASSET } from '../../domain/assets.ts';
import type { AssetReport, Run, RunEnd } from '../../state/runs.ts';
import { levelAt } from '../../metrics/rule-evaluation.ts';
import { RULES } from '../../metrics/rules.ts';
import { ruleOf, type FaultCode } from '../../errors/table.ts';
import type { AlertEvent, Cause } from './alert.ts';
import { alertLevel, nextStep, severityOf, worseOf, type RecoveryForecast } from './levels.ts';

/** The part of a run that its alerts name. */
type RunName = Pick<Run, 'id' | 'partition' | 'partitionEnd' | 'tags'>;

/** A cause with a code of the fault table. */
export type FaultCause = Cause & { readonly code: FaultCode };

export interface AlertingRules {
  readonly criticalAssets: ReadonlySet<string>;
  /** What recovery will do about a fault of this run. */
  readonly forecastOf: (cause: FaultCause) => RecoveryForecast;
}

/** Symbols that an alert names; the command lists all. */
const WORST_MAX = 5;

/** The alerts that the end of a run raises: one for each failed asset, and one for the fault that stopped the run. */
export function alertsOfRun(run: RunName, end: RunEnd, rules: AlertingRules): AlertEvent[] {
  return [
    ...end.assets.flatMap((report) => [
      ...failedSymbols(run, report, rules),
      ...removedRows(run, report),
      ...unpublished(run, { report, end, rules }),
    ]),
    ...stop(run, end, rules),
  ];
}

/** Another run holds the lease and does the work: no failure. */
const isAnotherRuns = (code: FaultCode): boolean => code === 'CELLS_LEASED';

/**
 * The failed symbols of one asset are one alert, under the most frequent code. Only bronze sends requests: failures of
 * silver and gold follow from it.
 */
function failedSymbols(run: RunName, report: AssetReport, rules: AlertingRules): AlertEvent[] {
  const { asset, symbols_ok } = report;
  const errors = Object.fromEntries(Object.entries(report.errors).filter(([, each]) => !isAnotherRuns(each)));
  const symbols_failed = Object.keys(errors).length;
  const exchange = exchangeOfAsset(asset);
  const code = mostFrequent(Object.values(errors));
  if (exchange === null || code === null || report.outcome === 'cancelled') return [];
  const scope = report.outcome === 'failed' ? 'asset' : 'symbols';
  const forecast = rules.forecastOf({ exchange, code, asset });
  const counts = Object.entries(Object.groupBy(Object.values(errors), (each) => each)).map(
    ([each, own]) => `${each} ${own?.length ?? 0}`,
  );
  const detail = counts.length > 1 ? ` (${counts.join(', ')})` : '';
  const worst = Object.entries(errors).toSorted(
    ([a, codeA], [b, codeB]) => severityOf(ruleOf(codeB).level) - severityOf(ruleOf(codeA).level) || (a < b ? -1 : 1),
  );
  return [
    {
      ...common(run, asset),
      exchange,
      code,
      scope,
      level: alertLevel({ code, asset, scope }, forecast, rules.criticalAssets),
      summary: `${daysText(run)}: ${symbols_failed} of ${symbols_ok + symbols_failed} symbols failed${detail}`,
      safe: `${symbols_ok} ${symbols_ok === 1 ? 'symbol is' : 'symbols are'} stored, and bronze keeps every response`,
      next: nextStep(forecast),
      affected: { total: symbols_failed, worst: worst.slice(0, WORST_MAX).map(([symbol]) => symbol) },
    },
  ];
}

/** Ties go to the worse code, then to the alphabet, so that the same failures always get the same name. */
export function mostFrequent(codes: readonly FaultCode[]): FaultCode | null {
  const counted = [...Map.groupBy(codes, (code) => code)].map(([code, own]) => ({
    code,
    count: own.length,
    severity: severityOf(ruleOf(code).level),
  }));
  return (
    counted.toSorted((a, b) => b.count - a.count || b.severity - a.severity || (a.code < b.code ? -1 : 1))[0]?.code ??
    null
  );
}

function removedRows(
  run: RunName,
  { asset, removal_rate, removed_rows, input_rows, output_rows }: AssetReport,
): AlertEvent[] {
  const level = levelAt(RULES.RULE_ROWS_REMOVED, removal_rate);
  if (level === null) return [];
  return [
    {
      ...common(run, asset),
      exchange: exchangeOfAsset(asset),
      code: 'ROWS_INVALID',
      scope: 'symbols',
      level,
      summary: `${daysText(run)}: ${removed_rows} of ${input_rows} rows removed (${(removal_rate * 100).toFixed(1)} %)`,
      safe: `${output_rows} rows are stored; each removed row is in quarantine with its rule and the raw response`,
      next: 'each is requested once more; a row that is still invalid stays in quarantine',
      affected: { total: removed_rows, worst: [] },
    },
  ];
}

/** Gold is complete on disk even when the Hub refuses it. */
function unpublished(
  run: RunName,
  { report, end, rules }: { readonly report: AssetReport; readonly end: RunEnd; readonly rules: AlertingRules },
): AlertEvent[] {
  const { asset, outcome } = report;
  if (asset !== GOLD_ASSET || outcome !== 'failed') return [];
  const cause = { exchange: null, code: 'PUBLISH_FAILED', asset } as const;
  const forecast = rules.forecastOf(cause);
  const why = end.error?.code === 'PUBLISH_FAILED' ? end.error.message : 'the dataset was not published';
  return [
    {
      ...common(run, asset),
      ...cause,
      scope: 'asset',
      level: alertLevel({ ...cause, scope: 'asset' }, forecast, rules.criticalAssets),
      summary: `${daysText(run)}: ${why}`,
      safe: 'the dataset folder is complete on disk; the published dataset is complete, but older',
      next: nextStep(forecast),
      affected: { total: 0, worst: [] },
    },
  ];
}

function stop(run: RunName, { error, assets }: RunEnd, rules: AlertingRules): AlertEvent[] {
  if (
    error === null ||
    error.code === 'PUBLISH_FAILED' ||
    isAnotherRuns(error.code) ||
    assets.some(({ errors }) => Object.values(errors).includes(error.code))
  )
    return [];
  const { code, message, facts } = error;
  const asset = assets.find(({ outcome }) => outcome === 'failed')?.asset ?? null;
  const exchange = typeof facts['exchange'] === 'string' ? facts['exchange'] : null;
  const forecast = rules.forecastOf({ exchange, code, asset });
  return [
    {
      ...common(run, asset),
      exchange,
      code,
      scope: 'asset',
      level:
        asset === null && forecast.kind !== 'healing'
          ? worseOf(ruleOf(code).level, 'error')
          : alertLevel({ code, asset: asset ?? '', scope: 'asset' }, forecast, rules.criticalAssets),
      summary: `${daysText(run)}: ${message}`,
      safe: 'all data stored before is complete; the next run continues from there',
      next: nextStep(forecast),
      affected: { total: 0, worst: [] },
    },
  ];
}

const common = (
  { id, tags }: RunName,
  asset: string | null,
): Pick<AlertEvent, 'asset' | 'runId' | 'command' | 'tags'> => ({
  asset,
  runId: id,
  command: `candlekeep runs show ${id}`,
  tags,
});

const daysText = ({ partition, partitionEnd }: RunName): string =>
  partition === partitionEnd ? partition : `${partition} to ${partitionEnd}`;
