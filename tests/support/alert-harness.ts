import { onTestFinished } from 'vitest';
import { timeOrderedIds } from '../../src/platform/time-ordered-ids.ts';
import type { Mail, MailPort } from '../../src/platform/ports/mail.ts';
import { MailError } from '../../src/platform/mail-error.ts';
import { memoryLog } from './virtual/memory-log.ts';
import { realProcesses } from '../../src/platform/node/process-identity.ts';
import type { Random } from '../../src/platform/ports/random.ts';
import { seededRandom } from '../../src/platform/seeded-random.ts';
import { redactorOf } from '../../src/platform/redaction.ts';
import { openSqliteStore } from '../../src/platform/node/sqlite-store.ts';
import type { Operation, Store } from '../../src/platform/ports/store.ts';
import { VirtualClock } from './virtual/virtual-clock.ts';
import { volatileFiles } from './virtual/volatile-files.ts';
import { LEDGER_1 } from '../../src/state/schema.ts';
import type { AlertEvent, Cause } from '../../src/alerting/model/alert.ts';
import { raiseAlert, resolveAlert } from '../../src/alerting/model/alerts.ts';
import { keepDelivering, type AlertDispatcher } from '../../src/alerting/outbox/delivery.ts';
import { GROUP_WAIT_MS, REPEAT_MS } from '../../src/alerting/plan/outbox-plan.ts';
import { ALERTS_1 } from '../../src/alerting/model/schema.ts';
import { METRICS_1 } from '../../src/metrics/schema.ts';
import { alertSecrets, type ChannelSettings } from '../../src/alerting/model/settings.ts';
import { openChannels } from '../../src/alerting/outbox/open-channels.ts';
import { NO_FAULTS, type FaultPlan, type FaultSpec } from '../../src/simulation/fault-plan.ts';
import { socketlessFetch } from './stand-ins/socketless.ts';
import { standInPagerDuty } from './stand-ins/stand-in-pagerduty.ts';
import { standInSlack } from './stand-ins/stand-in-slack.ts';
import { standInWebhook } from './stand-ins/stand-in-webhook.ts';

const ROUTING_KEY = 'k'.repeat(32);
const WEBHOOK_SECRET = 'webhook-secret';
export const UNDELIVERED = '/data/undelivered.jsonl';

export const SLACK: ChannelSettings = {
  name: 'slack',
  isDefault: true,
  kind: 'slack',
  url: 'http://slack.test/services/T0/B0/secret',
};
export const PAGERDUTY: ChannelSettings = {
  name: 'pagerduty',
  isDefault: true,
  kind: 'pagerduty',
  routingKey: ROUTING_KEY,
  url: 'http://pagerduty.test/v2/enqueue',
};
export const EMAIL: ChannelSettings = {
  name: 'email',
  isDefault: true,
  kind: 'email',
  smtpUrl: 'smtp://mail.test',
  from: 'candlekeep@example.org',
  to: ['ops@example.org'],
};
export const WEBHOOK: ChannelSettings = {
  name: 'webhook',
  isDefault: true,
  kind: 'webhook',
  url: 'http://hook.test/in',
  secret: WEBHOOK_SECRET,
};

/** A message that any channel received. */
export interface ReceivedMessage {
  readonly channel: string;
  readonly atMs: number;
  readonly title: string;
  readonly key: string;
}

export interface AlertWorldOptions {
  readonly channels?: readonly ChannelSettings[];
  /** Probability that a send fails. */
  readonly failedRatio?: number;
}

/** Channels without sockets, a store in memory, and virtual time. */
export function alertWorld(
  seed: string,
  { channels = [PAGERDUTY, SLACK, EMAIL], failedRatio = 0 }: AlertWorldOptions = {},
) {
  const random = seededRandom(seed);
  const clock = new VirtualClock({ random });
  const store = openSqliteStore({ path: ':memory:', migrations: [LEDGER_1, ALERTS_1, METRICS_1] });
  onTestFinished(() => store.close());
  const planOf = (name: string): FaultPlan => ({
    seed: `${seed} ${name}`,
    rules: failedRatio === 0 ? [] : flakiness(failedRatio),
  });
  const standIns = {
    slack: standInSlack({ plan: planOf('slack') }),
    team: standInSlack({ path: '/services/T0/B0/team' }),
    pagerduty: standInPagerDuty({ routingKey: ROUTING_KEY, plan: planOf('pagerduty') }),
    webhook: standInWebhook({ secret: WEBHOOK_SECRET, plan: planOf('webhook') }),
  };
  const mail = mailbox(clock, random.fork('mail'), failedRatio);
  const fetch = socketlessFetch(clock, {
    'http://slack.test': standIns.slack.handle,
    'http://team.test': standIns.team.handle,
    'http://pagerduty.test': standIns.pagerduty.handle,
    'http://hook.test': standIns.webhook.handle,
  });
  const log = memoryLog();
  const files = volatileFiles();
  const redact = redactorOf(alertSecrets({ channels, heartbeatUrl: null }));
  const dispatcher: AlertDispatcher = {
    ports: {
      clock,
      random: random.fork('delivery'),
      ids: timeOrderedIds(clock, random.fork('ids')),
      store,
      files,
      processes: realProcesses(),
      log,
    },
    policy: {
      instance: 'test',
      runbookUrl: 'https://example.org/runbook',
      groupWaitMs: GROUP_WAIT_MS,
      repeatMs: REPEAT_MS,
    },
    channels: openChannels({ clock, fetch, mailTo: () => mail.port }, channels),
    undeliveredPath: UNDELIVERED,
    redact,
  };
  const act = <T>(operation: () => Operation<T>): Promise<T> => store.transact(operation);
  const moment = () => ({ nowMs: clock.nowMs(), redact: redact });
  const stop = new AbortController();
  return {
    dispatcher: dispatcher,
    clock,
    store,
    log,
    files,
    random,
    mail,
    ...standIns,
    act,
    fetch,
    raise: (event: Partial<AlertEvent> = {}) => act(() => raiseAlert(eventOf(event), moment())),
    resolve: (cause: Partial<Cause> = {}, how = 'healed') => act(() => resolveAlert(eventOf(cause), how, moment())),
    /** Starts delivery as the daemon does; time passes with `pass`. */
    start: (everyMs = 5_000) => void keepDelivering(dispatcher, stop.signal, everyMs).catch(() => undefined),
    pass: (byMs: number) => clock.run({ untilMs: clock.nowMs() + byMs }),
    stop: () => stop.abort(new Error('stopped')),
    /** All messages that channels received, in order of time. */
    received: (): ReceivedMessage[] =>
      [
        ...standIns.slack.received.map(({ atMs, message }) => ({
          channel: 'slack',
          atMs,
          title: message.text,
          key: message.text,
        })),
        ...standIns.team.received.map(({ atMs, message }) => ({
          channel: 'team',
          atMs,
          title: message.text,
          key: message.text,
        })),
        ...standIns.pagerduty.received.map(({ atMs, message }) => ({
          channel: 'pagerduty',
          atMs,
          title: message.payload?.summary ?? `(${message.event_action})`,
          key: message.dedup_key,
        })),
        ...standIns.webhook.received.map(({ atMs, message }) => ({
          channel: 'webhook',
          atMs,
          title: message.notice.title,
          key: message.id,
        })),
        ...mail.received.map(({ atMs, mail: { subject, messageId } }) => ({
          channel: 'email',
          atMs,
          title: subject,
          key: messageId,
        })),
      ].toSorted((a, b) => a.atMs - b.atMs),
  };
}
export type AlertWorld = ReturnType<typeof alertWorld>;

/** Titles that one channel received. */
export const titles = (world: AlertWorld, channel: string): string[] =>
  world
    .received()
    .filter((message) => message.channel === channel)
    .map(({ title }) => title);

export const HEALTHY = NO_FAULTS;

const FLAKY: readonly FaultSpec[] = [
  { kind: 'status', status: 500 },
  { kind: 'reset' },
  { kind: 'answer-lost' },
  { kind: 'status', status: 429, retryAfter: '2' },
];
const flakiness = (ratio: number) => FLAKY.map((fault) => ({ on: { ratio: ratio / FLAKY.length }, fault }));

export interface Mailbox {
  readonly port: MailPort;
  readonly received: readonly { readonly atMs: number; readonly mail: Mail }[];
  /** Makes the server refuse or accept all mail from now on. */
  setDown(down: 'down' | 'up'): void;
}

export function mailbox(clock: VirtualClock, random: Random, failedRatio: number): Mailbox {
  const received: { atMs: number; mail: Mail }[] = [];
  let isDown = false;
  return {
    received,
    setDown: (down) => {
      isDown = down === 'down';
    },
    port: {
      send: async (mail) => {
        const chance = random.next();
        if (isDown || chance < failedRatio / 2)
          throw new MailError({ responseCode: null, command: 'CONN', code: 'ESOCKET' });
        received.push({ atMs: clock.nowMs(), mail });
        if (chance < failedRatio) throw new MailError({ responseCode: null, command: 'DATA', code: 'ESOCKET' });
      },
    },
  };
}

export const eventOf = (event: Partial<AlertEvent>): AlertEvent => ({
  exchange: 'binance',
  code: 'EXCHANGE_SERVER_ERROR',
  asset: 'bronze_binance_ohlcv',
  scope: 'symbols',
  level: 'warning',
  summary: '3 of 40 symbols failed',
  safe: '37 symbols are stored',
  next: 'healing 1/3, next at 2024-07-01T00:05Z',
  command: 'candlekeep runs show run_1',
  runId: 'run_1',
  affected: { total: 3, worst: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'] },
  tags: {},
  ...event,
});

/** The same store, in which no call returns from the `n`-th on, as for a killed process. */
export function dyingStore(store: Store, diesAtCall: number, random: Random): Store {
  let calls = 0;
  const gone = new Promise<never>(() => undefined);
  const guarded = <T>(call: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls < diesAtCall) return call();
    if (calls === diesAtCall && random.next() < 0.5) void call(); // committed, but the process died before it knew
    return gone;
  };
  return {
    transact: (operation, ...args) => guarded(() => store.transact(operation, ...args)),
    read: (operation, ...args) => guarded(() => store.read(operation, ...args)),
    damages: () => store.damages(),
    close: () => undefined,
  };
}
