import { withTimeLimit } from '../../platform/time-limit.ts';
import type { Ports } from '../../platform/ports/ports.ts';
import type { Redact } from '../../platform/ports/redact.ts';
import { releaseLeases } from '../../state/leases.ts';
import { AlertChannelError } from '../../errors/errors.ts';
import { CancelledError, classify } from '../../errors/classify.ts';
import { dispatchOf } from '../plan/bundle.ts';
import { allHealth } from './channel-records.ts';
import type { Channel } from '../channels/channel.ts';
import { claimMessages, nextSendAtMs, outboxState, recordFailure, recordSent, type OutboxMessage } from './outbox.ts';
import { planMessages, type AlertPolicy } from '../plan/outbox-plan.ts';
import { writeUndelivered } from './undelivered.ts';

/** Everything that delivery of alerts needs. */
export interface AlertDispatcher {
  readonly ports: Pick<Ports, 'clock' | 'random' | 'ids' | 'store' | 'files' | 'processes' | 'log'>;
  readonly policy: Omit<AlertPolicy, 'channels'>;
  readonly channels: readonly Channel[];
  /** File for messages that no channel accepts; absolute. */
  readonly undeliveredPath: string;
  readonly redact: Redact;
}

/** `sendMsMax`: time limit of one send, after which the next channel is tried; null: the channel's own limit. */
type TimedDispatcher = AlertDispatcher & { readonly sendMsMax: number | null };

export interface DeliveryReport {
  readonly sent: number;
  readonly pending: number;
}

/** How long a command waits for its alerts. Unit: milliseconds. */
const DRAIN_MS = 10_000;
/** Messages sent to one channel in one round; then the plan is made again. */
const SENDS_PER_ROUND_MAX = 20;
/** Rounds of one drain. Each sends or sleeps, so that a channel that fails immediately cannot spin. */
const ROUNDS_MAX = 1_000;

const OUT_OF_TIME = new CancelledError('the time for delivering alerts is over');

/**
 * Delivers all messages that are due, for at most `limitMs`; the rest waits in the store for the next process. The
 * command is about to end, so no message waits for its group. Throws only the signal's reason: an alert that cannot be
 * sent fails no work and changes no exit code.
 */
export async function drainAlerts(
  dispatcher: AlertDispatcher,
  signal: AbortSignal,
  limitMs = DRAIN_MS,
): Promise<DeliveryReport> {
  const { clock } = dispatcher.ports;
  const [time, done] = [new AbortController(), new AbortController()];
  const alarm = clock.sleep(limitMs, done.signal).then(
    () => time.abort(OUT_OF_TIME),
    () => undefined,
  );
  const report = { sent: 0, pending: 0 };
  try {
    const limited: TimedDispatcher = {
      ...dispatcher,
      policy: { ...dispatcher.policy, groupWaitMs: 0 },
      sendMsMax: dispatcher.channels.length > 1 ? limitMs / 2 : null,
    };
    await drainUntilSettled(
      limited,
      { signal: AbortSignal.any([signal, time.signal]), untilMs: clock.nowMs() + limitMs },
      report,
    );
  } catch (error) {
    signal.throwIfAborted();
    if (error !== OUT_OF_TIME) logFailure(dispatcher, error);
  } finally {
    done.abort();
    await alarm;
  }
  return report;
}

async function drainUntilSettled(
  dispatcher: TimedDispatcher,
  { signal, untilMs }: { readonly signal: AbortSignal; readonly untilMs: number },
  report: { sent: number; pending: number },
): Promise<void> {
  const { clock, store } = dispatcher.ports;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const { tried, sent } = await deliverOnce(dispatcher, signal);
    report.sent += sent;
    report.pending = (await store.read(outboxState)).pending;
    const nextAtMs = await store.read(nextSendAtMs);
    if (nextAtMs === null || (tried === 0 && nextAtMs > untilMs)) return;
    // A send changes the plan: another channel takes over, or the channel is reported as working again.
    await clock.sleep(tried > 0 ? ROUND_WAIT_MS_MIN : Math.max(ROUND_WAIT_MS_MIN, nextAtMs - clock.nowMs()), signal);
  }
}

/** Another process may be delivering; this one waits for its messages. Unit: milliseconds. */
const ROUND_WAIT_MS_MIN = 250;

/** For a long-running process: delivers at least every `everyMs` until the signal aborts; rejects with its reason. */
export async function keepDelivering(
  dispatcher: AlertDispatcher,
  signal: AbortSignal,
  everyMs: number,
): Promise<never> {
  const { clock, store } = dispatcher.ports;
  for (;;) {
    let nextAtMs: number | null = null;
    try {
      await deliverOnce({ ...dispatcher, sendMsMax: null }, signal);
      nextAtMs = await store.read(nextSendAtMs);
    } catch (error) {
      signal.throwIfAborted();
      logFailure(dispatcher, error);
    }
    const waitMs = nextAtMs === null ? everyMs : Math.max(ROUND_WAIT_MS_MIN, nextAtMs - clock.nowMs());
    await clock.sleep(Math.min(everyMs, waitMs), signal);
  }
}

/** A failure of delivery is logged and never stops the pipeline. */
function logFailure({ ports, redact }: AlertDispatcher, error: unknown): void {
  const verdict = classify(error);
  const message = redact(Error.isError(error) ? error.message : String(error));
  ports.log.error(`alerts were not delivered: ${message}; they stay in the store`, {
    code: verdict.verdict === 'fault' ? verdict.fault.code : 'DEFECT',
  });
}

/** Plans the due messages and sends them: channels concurrently, the messages of one channel in order. */
async function deliverOnce(dispatcher: TimedDispatcher, signal: AbortSignal): Promise<SendCounts> {
  const { ports, channels, policy } = dispatcher;
  await ports.store.transact(planMessages, { ...policy, channels }, ports.clock.nowMs());
  const results = await Promise.allSettled(channels.map((channel) => deliverTo(dispatcher, channel, signal)));
  const reports = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const report = {
    tried: reports.reduce((sum, { tried }) => sum + tried, 0),
    sent: reports.reduce((sum, { sent }) => sum + sent, 0),
  };
  if (report.tried > report.sent) await writeToDisk(dispatcher);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  return report;
}

/** Messages attempted and sent. */
interface SendCounts {
  readonly tried: number;
  readonly sent: number;
}

/** The longest wait for a channel within a round; a longer one is left to the next round. Unit: milliseconds. */
const PACE_MS_MAX = 2_000;

/** Sends a channel its pending messages until one send fails; then the plan is made again. */
async function deliverTo(dispatcher: TimedDispatcher, channel: Channel, signal: AbortSignal): Promise<SendCounts> {
  const { clock, store, processes, ids } = dispatcher.ports;
  const { name, bundles } = channel;
  const owner = ids.next('delivery');
  let [tried, sent] = [0, 0];
  try {
    while (tried === sent && sent < SENDS_PER_ROUND_MAX) {
      signal.throwIfAborted();
      const claimed = await store.transact(
        claimMessages,
        { channel: name, bundles, owner, nowMs: clock.nowMs() },
        processes,
      );
      const [first, ...others] = claimed.messages;
      if (first !== undefined) {
        tried += claimed.messages.length;
        if (await sendMessages(dispatcher, channel, { messages: [first, ...others], signal })) sent = tried;
        continue;
      }
      const waitMs = (claimed.againAtMs ?? Infinity) - clock.nowMs();
      if (waitMs > PACE_MS_MAX) break;
      await clock.sleep(waitMs, signal);
    }
  } finally {
    if (tried > 0) await store.transact(releaseLeases, owner);
  }
  return { tried, sent };
}

async function sendMessages(
  dispatcher: TimedDispatcher,
  channel: Channel,
  {
    messages,
    signal,
  }: { readonly messages: readonly [OutboxMessage, ...OutboxMessage[]]; readonly signal: AbortSignal },
): Promise<boolean> {
  const { clock, random, store, log } = dispatcher.ports;
  const sending = { channel: channel.name, messages };
  try {
    await sendWithLimit(dispatcher, channel, signal, (limited) => channel.send(dispatchOf(messages), limited));
  } catch (error) {
    if (signal.reason !== OUT_OF_TIME) signal.throwIfAborted();
    const failure = signal.aborted
      ? outOfTimeError(channel.name)
      : error instanceof AlertChannelError
        ? error
        : defectError(channel.name, error);
    const chance = random.next();
    await store.transact(recordFailure, sending, failure, { nowMs: clock.nowMs(), redact: dispatcher.redact, chance });
    const fields = {
      code: failure.code,
      channel: channel.name,
      status: failure.facts.status,
      messages: messages.length,
    };
    log.warn(
      dispatcher.redact(failure.message),
      Error.isError(failure.cause) && failure !== error
        ? { ...fields, defect: dispatcher.redact(failure.cause.stack ?? failure.cause.message) }
        : fields,
    );
    return false;
  }
  await store.transact(recordSent, sending, channel.paceMs, { nowMs: clock.nowMs(), redact: dispatcher.redact });
  return true;
}

/** A command has no time for three timeouts: after the first one the channel is down and another one is used. */
function sendWithLimit(
  dispatcher: TimedDispatcher,
  { name }: Channel,
  outer: AbortSignal,
  send: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const { sendMsMax: patienceMs, ports } = dispatcher;
  if (patienceMs === null) return send(outer);
  const timeoutError = (): Error =>
    new AlertChannelError(`${name} did not respond within ${patienceMs / 1_000} s, the time limit of a command`, {
      channel: name,
      failure: 'permanent',
      status: null,
      retryAfterMs: null,
    });
  return withTimeLimit(ports.clock, { limitMs: patienceMs, timeoutError, outer }, send);
}

/** Recorded as a failure, so that a channel too slow for every command is found to be down. */
const outOfTimeError = (channel: string): AlertChannelError =>
  new AlertChannelError(`${channel} did not respond before the command's time for alerts was over`, {
    channel,
    failure: 'transient',
    status: null,
    retryAfterMs: null,
  });

/** A defect in one channel must not stop the others: it counts as a message that this channel refuses. */
const defectError = (channel: string, error: unknown): AlertChannelError =>
  new AlertChannelError(
    `${channel}: the message could not be built (a defect in Candlekeep)`,
    { channel, failure: 'refused', status: null, retryAfterMs: null },
    { cause: error },
  );

/** Writes messages that no channel accepts to the disk. */
async function writeToDisk({ ports, channels, undeliveredPath }: AlertDispatcher): Promise<void> {
  const healths = await ports.store.read(allHealth);
  const isEveryDown = channels.every(({ name }) => (healths.get(name)?.downSinceMs ?? null) !== null);
  await writeUndelivered(ports, undeliveredPath, isEveryDown ? 'all-down' : 'refused');
}
