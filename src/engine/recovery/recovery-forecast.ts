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

/** Facts about a cause at the end of a run that met it. */
export interface CauseView {
  /** Since when its alert fires; null when this run is the first to meet it. */
  readonly firedAtMs: number | null;
  /** The earliest next attempt of its cells; null without one. */
  readonly nextAttemptAtMs: number | null;
  readonly retry: ReturnType<typeof plannedRetryOf>;
  readonly nowMs: number;
}

/**
 * What recovery will do about a cause: retry the failed run, else request its cells again at their next attempts.
 * Four attempts come within six hours, the others daily. Pure.
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
  // The alert fires at the end of the run, later than its cells failed. So the attempt is counted from the time of
  // the next attempt, not from the age of the alert.
  const at = HEALING_OFFSETS_MS.findIndex((offsetMs) => nextAttemptAtMs - (firedAtMs ?? nowMs) <= offsetMs);
  if (at < 0 && firedAtMs !== null) return { kind: 'exhausted' };
  return {
    kind: 'healing',
    attempt: Math.max(at, 0) + 1,
    attemptsMax: HEALING_OFFSETS_MS.length,
    nextAtMs: nextAttemptAtMs,
  };
}

/** The forecast of each cause a run may have met. Runs in the transaction that ends the run. */
export function* forecastsAfter(
  { run, end, opensAtMs }: { readonly run: Run; readonly end: RunEnd; readonly opensAtMs: OpeningTimes },
  nowMs: number,
): Operation<AlertingRules['forecastOf']> {
  const firing = new Map((yield* firingAlerts()).map((alert) => [alert.fingerprint, alert.firedAtMs]));
  const nextAttempts = new Map<string, number>();
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
      if (pending !== null) nextAttempts.set(`${exchange} ${code}`, pending.nextAttemptAtMs);
    }
  }
  const planned = plannedRetryOf({ ...run, ...end, finishedAtMs: nowMs }, nowMs);
  const retryOf = (exchange: Exchange | null): CauseView['retry'] => {
    if (end.outcome !== 'failed' && (exchange === null || !lacking.has(exchange) || planned === 'used-up'))
      return 'never'; // its cells have next attempts of their own
    return typeof planned === 'object'
      ? { ...planned, atMs: Math.max(planned.atMs, opensAtMs.get(exchange ?? '') ?? 0) }
      : planned;
  };
  return (cause) =>
    forecastOf(cause, {
      firedAtMs: firing.get(fingerprintOf(cause)) ?? null,
      nextAttemptAtMs: nextAttempts.get(`${cause.exchange} ${cause.code}`) ?? null,
      retry: retryOf(cause.exchange),
      nowMs,
    });
}
