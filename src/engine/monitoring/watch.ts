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

/** How often rules are evaluated and the heartbeat is sent. Unit: milliseconds. */
const WATCH_EVERY_MS = 60_000;

/** How often the outbox is checked at least. Unit: milliseconds. */
const DELIVER_EVERY_MS = 5_000;

/**
 * Runs beside the loops of a daemon: delivers alerts, evaluates the rules, writes the digest, sends the heartbeat and
 * offers metrics. A long tick does not delay it, and a failure here does not end the daemon.
 * Resolves when the signal aborts.
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
    await watchTick(pipeline, watched, signal);
    await pipeline.ports.clock.sleep(WATCH_EVERY_MS, signal);
  }
}

/** Evaluates the rules once. A failure is logged, and the heartbeat reports it. */
async function watchTick(pipeline: Pipeline, watched: WatchedMarkets, signal: AbortSignal): Promise<void> {
  const { heartbeatUrl } = pipeline.settings.alerts;
  const failure = await failureOf(pipeline, 'rules were not evaluated', () => evaluate(pipeline, watched));
  if (heartbeatUrl === null) return;
  await failureOf(
    pipeline,
    'the heartbeat was not sent',
    async () => void (await sendHeartbeat(pipeline.ports, heartbeatUrl, await problemsOf(pipeline, failure), signal)),
  );
  signal.throwIfAborted();
}

/** Runs `work` and returns the message of its failure, logged; null on success. The watch continues either way. */
async function failureOf(
  { ports, dispatcher }: Pipeline,
  what: string,
  work: () => Promise<void>,
): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    const message = dispatcher.redact(Error.isError(error) ? error.message : String(error));
    ports.log.error(`${what}: ${message}; next attempt in a minute`);
    return message;
  }
}

async function evaluate(pipeline: Pipeline, watched: WatchedMarkets): Promise<void> {
  const { ports, dispatcher } = pipeline;
  const measurements = await measure(pipeline, await watched());
  const nowMs = ports.clock.nowMs();
  await ports.store.transact(function* evaluateRules() {
    yield* alertRules(yield* evaluateMeasurements(measurements, nowMs), { nowMs, redact: dispatcher.redact });
    yield* writeDigest({ ...dispatcher.policy, channels: dispatcher.channels }, nowMs);
    yield* setGauges([{ name: 'pipeline_heartbeat_timestamp_seconds', labels: {}, value: nowMs / 1_000 }]);
  });
}

/** True when the state can be read and alerts are delivered. */
export const isHealthy = async (pipeline: Pipeline): Promise<boolean> =>
  (await problemsOf(pipeline, null)).length === 0;

async function problemsOf({ ports, dispatcher }: Pipeline, storeError: string | null): Promise<readonly string[]> {
  const nowMs = ports.clock.nowMs();
  const known = { nowMs, channelsTotal: dispatcher.channels.length, storeError };
  if (storeError !== null) return healthProblems({ ...known, outboxOldestAtMs: null, channelsDown: 0 });
  const { oldestAtMs, healths } = await ports.store.read(function* healthProblems() {
    return { ...(yield* outboxState()), healths: yield* allHealth() };
  });
  return healthProblems({
    ...known,
    outboxOldestAtMs: oldestAtMs,
    channelsDown: dispatcher.channels.filter(({ name }) => (healths.get(name)?.downSinceMs ?? null) !== null).length,
  });
}
