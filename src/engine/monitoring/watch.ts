import { keepDelivering } from '../../alerting/outbox/delivery.ts';
import { writeDigest } from '../../alerting/plan/digest.ts';
import { healthProblems, sendHeartbeat } from '../../alerting/outbox/heartbeat.ts';
import { allHealth } from '../../alerting/outbox/channel-records.ts';
import { outboxState } from '../../alerting/outbox/outbox.ts';
import { alertRules } from '../../alerting/model/rule-alerts.ts';
import { evaluateMeasurements } from '../../metrics/rule-states.ts';
import { setGauges } from '../../metrics/values.ts';
import { measure } from './measurements.ts';
import { observeMetrics } from './observed-metrics.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { WatchedMarkets } from './watched-markets.ts';

/** Rules are evaluated, and the heart beats, this often. Unit: milliseconds. */
const WATCH_EVERY_MS = 60_000;

/** What waits in the outbox is looked at this often at least. Unit: milliseconds. */
const DELIVER_EVERY_MS = 5_000;

/**
 * Beside the work of a process that stays: delivers alerts, evaluates the rules, writes the digest, beats, offers metrics.
 * A long turn of the work does not hold it up, and nothing that fails here ends the work. Resolves when the signal aborts.
 */
export async function keepWatch(pipeline: Pipeline, watched: WatchedMarkets, signal: AbortSignal): Promise<void> {
  const ended = (error: unknown): void => {
    if (!signal.aborted) throw error;
  };
  const unobserve = observeMetrics(pipeline, watched);
  try {
    await Promise.all([
      keepDelivering(pipeline.dispatcher, signal, DELIVER_EVERY_MS).catch(ended),
      watch(pipeline, watched, signal).catch(ended),
    ]);
  } finally {
    unobserve();
  }
}

async function watch(pipeline: Pipeline, watched: WatchedMarkets, signal: AbortSignal): Promise<never> {
  for (;;) {
    await watchTurn(pipeline, watched, signal);
    await pipeline.ports.clock.sleep(WATCH_EVERY_MS, signal);
  }
}

/** One look at everything; a failure of it is logged and told by the heartbeat. */
async function watchTurn(pipeline: Pipeline, watched: WatchedMarkets, signal: AbortSignal): Promise<void> {
  const { heartbeatUrl } = pipeline.settings.alerts;
  const failure = await failureOf(pipeline, 'rules were not evaluated', () => evaluate(pipeline, watched));
  if (heartbeatUrl === null) return;
  await failureOf(
    pipeline,
    'the heart did not beat',
    async () => void (await sendHeartbeat(pipeline.ports, heartbeatUrl, await complaints(pipeline, failure), signal)),
  );
  signal.throwIfAborted();
}

/** What the work failed with, logged; null when it did not. The watch goes on whatever it was. */
async function failureOf(
  { ports, dispatcher: desk }: Pipeline,
  what: string,
  work: () => Promise<void>,
): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    const message = desk.redact(Error.isError(error) ? error.message : String(error));
    ports.log.error(`${what}: ${message}; tried again in a minute`);
    return message;
  }
}

async function evaluate(pipeline: Pipeline, watched: WatchedMarkets): Promise<void> {
  const { ports, dispatcher: desk } = pipeline;
  const measurements = await measure(pipeline, await watched());
  const nowMs = ports.clock.nowMs();
  await ports.store.transact('evaluateRules', function* () {
    yield* alertRules(yield* evaluateMeasurements(measurements, nowMs), { nowMs, redact: desk.redact });
    yield* writeDigest({ ...desk.policy, channels: desk.channels }, nowMs);
    yield* setGauges([{ name: 'pipeline_heartbeat_timestamp_seconds', labels: {}, value: nowMs / 1_000 }]);
  });
}

/** Can the state be read, and are alerts delivered? */
export const isHealthy = async (pipeline: Pipeline): Promise<boolean> =>
  (await complaints(pipeline, null)).length === 0;

async function complaints(
  { ports, dispatcher: desk }: Pipeline,
  storeError: string | null,
): Promise<readonly string[]> {
  const nowMs = ports.clock.nowMs();
  const known = { nowMs, channelsTotal: desk.channels.length, storeError };
  if (storeError !== null) return healthProblems({ ...known, outboxOldestAtMs: null, channelsDown: 0 });
  const { oldestAtMs, healths } = await ports.store.read('wellness', function* () {
    return { ...(yield* outboxState()), healths: yield* allHealth() };
  });
  return healthProblems({
    ...known,
    outboxOldestAtMs: oldestAtMs,
    channelsDown: desk.channels.filter(({ name }) => (healths.get(name)?.downSinceMs ?? null) !== null).length,
  });
}
