import { SILVER_ASSET } from '../../domain/assets.ts';
import type { AssetReport, RunOutcome } from '../../state/runs.ts';
import type { FaultCode } from '../../errors/table.ts';
import type { SilverReport } from '../../lake/silver/asset.ts';
import { OUTCOMES_WORST_FIRST, REMOVED_RATIO_ERROR } from '../core/run-verdict.ts';

const sumOf = <T>(parts: readonly T[], of: (part: T) => number): number =>
  parts.reduce((sum, part) => sum + of(part), 0);
const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** Joins the reports of the parts of an asset. */
export function joinBronzeReports(parts: readonly AssetReport[]): AssetReport {
  const [first, ...others] = parts;
  if (first === undefined) throw new RangeError('an asset has at least one part');
  return others.reduce((joined, part) => {
    const errors: Record<string, FaultCode> = { ...joined.errors, ...part.errors };
    const [input_rows, removed_rows] = [joined.input_rows + part.input_rows, joined.removed_rows + part.removed_rows];
    return {
      ...joined,
      outcome:
        OUTCOMES_WORST_FIRST.find((outcome) => outcome === joined.outcome || outcome === part.outcome) ??
        joined.outcome,
      status: part.status === 'failed' ? 'failed' : joined.status,
      input_rows,
      output_rows: joined.output_rows + part.output_rows,
      removed_rows,
      removal_rate: ratio(removed_rows, input_rows),
      validation_errors: joined.validation_errors + part.validation_errors,
      validation_warnings: joined.validation_warnings + part.validation_warnings,
      symbols_ok:
        Math.max(joined.symbols_ok, part.symbols_ok) - (Object.keys(errors).length - Object.keys(joined.errors).length),
      symbols_failed: Object.keys(errors).length,
      errors,
    };
  }, first);
}

function sumByRule(parts: readonly SilverReport[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const [rule, rows] of parts.flatMap(({ removedByRule }) => Object.entries(removedByRule)))
    sums[rule] = (sums[rule] ?? 0) + rows;
  return sums;
}

/** The silver report of a run, over all venues and periods. Symbols that failed in bronze fail in silver too. */
export function silverReport(parts: readonly SilverReport[], bronze: readonly AssetReport[]): AssetReport {
  const input_rows = sumOf(parts, (part) => part.inputRows);
  const removed_rows = sumOf(parts, (part) => part.removedRows);
  const removal_rate = ratio(removed_rows, input_rows);
  const symbols_failed = sumOf(bronze, (report) => report.symbols_failed);
  const partial_inputs = bronze.filter((report) => report.outcome !== 'complete').map((report) => report.asset);
  return {
    asset: SILVER_ASSET,
    outcome: parts.some((part) => part.damagedAnswers > 0)
      ? 'partial'
      : silverOutcome(bronze, { symbols_failed, removal_rate }),
    status: parts.length > 0 && input_rows === 0 ? 'no_input_data' : 'success',
    input_rows,
    output_rows: sumOf(parts, (part) => part.outputRows),
    removed_rows,
    removal_rate,
    ...(removed_rows === 0 ? {} : { removed_by_rule: sumByRule(parts) }),
    validation_errors: sumOf(parts, (part) => part.errors),
    validation_warnings: sumOf(parts, (part) => part.warnings),
    symbols_ok: sumOf(bronze, (report) => report.symbols_ok),
    symbols_failed,
    errors: Object.assign({}, ...bronze.map((report) => report.errors)) as AssetReport['errors'],
    ...(partial_inputs.length === 0 ? {} : { partial_inputs }),
  };
}

/** Silver is parked when every incomplete bronze asset is parked. */
function silverOutcome(
  bronze: readonly AssetReport[],
  { symbols_failed, removal_rate }: Pick<AssetReport, 'symbols_failed' | 'removal_rate'>,
): RunOutcome {
  if (removal_rate > REMOVED_RATIO_ERROR) return 'partial';
  if (symbols_failed === 0) return 'complete';
  return bronze.every(({ outcome }) => outcome === 'complete' || outcome === 'parked') ? 'parked' : 'partial';
}
