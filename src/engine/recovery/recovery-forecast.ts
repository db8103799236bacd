import type { Operation } from '../../platform/ports/store.ts';
import type { Exchange } from '../../domain/exchange.ts';
import { fingerprintOf } from '../../alerting/model/alert.ts';
import { firingAlerts } from '../../alerting/model/alerts.ts';
import type { RecoveryForecast } from '../../alerting/model/levels.ts';
import type { AlertingRules, FaultCause } from '../../alerting/model/run-alerts.ts';
import { HEALING_OFFSETS_MS } from '../../errors/schedule.ts';
import { exchangeOfAsset } from '../../domain/assets.ts';
import { pendingBy } from '../../state/cells.ts';
import type { Run, RunEnd } from '../../state/runs.ts';
import { plannedRetryOf } from './run-retries.ts';
import { ruleOf } from '../../errors/table.ts';
import { lacksOpenCandles } from './open-candles.ts';
import type { OpeningTimes } from '../core/exchanges.ts';

/** What is known of a cause when a run has met it. */
export interface CauseView {
  /** Since when it fires; null when this run is the first to meet it. */
  readonly firedAtMs: number | null;
  /** The first appointment of its cells; null without one. */
  readonly nextAttemptAtMs: number | null;
  readonly retry: ReturnType<typeof plannedRetryOf>;
  readonly nowMs: number;
}

/**
 * What recovery will do about a cause: run the failed run again, else keep the appointments of its cells,
 * of which four come within six hours and all others daily. Pure.
 */
export function forecastOf(
  { code }: Pick<FaultCause, 'code'>,
  { firedAtMs, nextAttemptAtMs, retry, nowMs }: CauseView,
): RecoveryForecast {
  const { kind } = ruleOf(code);
  if (kind === 'permanent' || kind === 'defect') return { kind: 'final' };
  if (typeof retry === 'object')
    return { kind: 'healing', attempt: retry.attempt, attemptsMax: retry.attemptsMax, nextAtMs: retry.atMs };
  if (retry === 'used-up' || nextAttemptAtMs === null) return { kind: 'exhausted' };
  // Cells are missed while a run is under way and the cause fires at its end: the appointment tells which try comes next, not the age.
  const at = HEALING_OFFSETS_MS.findIndex((offsetMs) => nextAttemptAtMs - (firedAtMs ?? nowMs) <= offsetMs);
  if (at < 0 && firedAtMs !== null) return { kind: 'exhausted' };
  return {
    kind: 'healing',
    attempt: Math.max(at, 0) + 1,
    attemptsMax: HEALING_OFFSETS_MS.length,
    nextAtMs: nextAttemptAtMs,
  };
}

/** The outlook of each cause that a run may have met, from what the store knows in the transaction that ends it. */
export function* forecastsAfter(
  { run, end, opensAtMs }: { readonly run: Run; readonly end: RunEnd; readonly opensAtMs: OpeningTimes },
  nowMs: number,
): Operation<AlertingRules['forecastOf']> {
  const firing = new Map((yield* firingAlerts()).map((alert) => [alert.fingerprint, alert.firedAtMs]));
  const appointments = new Map<string, number>();
  const lacking = new Set<Exchange>();
  for (const report of end.assets) {
    const { asset, errors } = report;
    const exchange = exchangeOfAsset(asset);
    if (
      exchange !== null &&
      (yield* lacksOpenCandles({ ...run, startedAtMs: run.startedAtMs ?? nowMs }, report, nowMs))
    )
      lacking.add(exchange);
    for (const code of exchange === null ? [] : new Set(Object.values(errors))) {
      const pending = yield* pendingBy(exchange ?? '', code);
      if (pending !== null) appointments.set(`${exchange} ${code}`, pending.nextAttemptAtMs);
    }
  }
  const planned = plannedRetryOf({ ...run, ...end, finishedAtMs: nowMs }, nowMs);
  const retryOf = (exchange: Exchange | null): CauseView['retry'] => {
    if (end.outcome !== 'failed' && (exchange === null || !lacking.has(exchange) || planned === 'used-up'))
      return 'never'; // the appointments of its cells count
    return typeof planned === 'object'
      ? { ...planned, atMs: Math.max(planned.atMs, opensAtMs.get(exchange ?? '') ?? 0) }
      : planned;
  };
  return (cause) =>
    forecastOf(cause, {
      firedAtMs: firing.get(fingerprintOf(cause)) ?? null,
      nextAttemptAtMs: appointments.get(`${cause.exchange} ${cause.code}`) ?? null,
      retry: retryOf(cause.exchange),
      nowMs,
    });
}
