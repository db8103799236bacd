import { expect, test } from 'vitest';
import { randomInt } from '../../../src/platform/seeded-random.ts';
import { keepDelivering, type AlertDispatcher } from '../../../src/alerting/outbox/delivery.ts';
import type { Cause } from '../../../src/alerting/model/alert.ts';
import { outboxState } from '../../../src/alerting/outbox/outbox.ts';
import {
  alertWorld,
  dyingStore,
  EMAIL,
  PAGERDUTY,
  SLACK,
  WEBHOOK,
  type AlertWorld,
} from '../../support/alert-harness.ts';

const KILLS = 1_000;
const BATCH = 100;
/** Store calls before a process dies, at most: some die idle, most during delivery. */
const CALLS_MAX = 40;
const MINUTE_MS = 60_000;

interface ScriptedCause {
  readonly cause: Cause;
  readonly level: 'critical' | 'error' | 'warning';
  readonly firesAfterMs: number;
  /** Null: it keeps firing. */
  readonly endsAfterMs: number | null;
}

const EXCHANGES = ['binance', 'coinbase', 'okx'];

function scriptOf({ random: worldRandom }: AlertWorld): ScriptedCause[] {
  const random = worldRandom.fork('script');
  return EXCHANGES.map((exchange) => ({
    cause: { exchange, code: 'REQUEST_REJECTED', asset: `bronze_${exchange}_ohlcv` },
    level: (['critical', 'error', 'warning'] as const)[randomInt(random, 3)]!,
    firesAfterMs: randomInt(random, 30_000),
    endsAfterMs: random.next() < 0.7 ? randomInt(random, 90_000) : null,
  }));
}

/** A separate process; others on this host see that it is gone once it was killed. */
function processOf(world: AlertWorld, pid: number, store = world.store): AlertDispatcher {
  const self = { host: 'host', pid, startMark: '' };
  return {
    ...world.dispatcher,
    ports: { ...world.dispatcher.ports, store, processes: { self, mayBeAlive: (other) => other.pid === pid } },
  };
}

async function play(world: AlertWorld, script: readonly ScriptedCause[]): Promise<void> {
  const { clock, random } = world;
  const neverAborted = new AbortController().signal;
  const kill = random.fork('kill');
  const victim = processOf(world, 1, dyingStore(world.store, 1 + randomInt(kill, CALLS_MAX), kill));
  void keepDelivering(victim, neverAborted, 5_000).catch(() => undefined);
  const acts = script.map(async ({ cause, level, firesAfterMs, endsAfterMs }) => {
    await clock.sleep(firesAfterMs);
    await world.raise({ ...cause, level });
    if (endsAfterMs === null) return;
    await clock.sleep(endsAfterMs);
    await world.resolve(cause);
  });
  void Promise.all(acts);
  await world.pass(randomInt(kill, 120_000));
  void keepDelivering(processOf(world, 2), neverAborted, 60_000).catch(() => undefined);
  await world.pass(25 * MINUTE_MS);
}

/** What one channel received about one cause, in order: `T` for trigger, `R` for resolve. */
function receivedOf(world: AlertWorld, channel: string, { cause }: ScriptedCause): string {
  const place = `at ${cause.exchange}:`;
  const ofSlack = (message: { text: string }): string =>
    message.text.includes(place) ? (message.text.startsWith('[RESOLVED]') ? 'R' : 'T') : '';
  switch (channel) {
    case 'slack':
      return world.slack.received.map(({ message }) => ofSlack(message)).join('');
    case 'email':
      return world.mail.received.map(({ mail }) => ofSlack({ text: mail.subject })).join('');
    case 'webhook':
      return world.webhook.received.map(({ message }) => ofSlack({ text: message.notice.title })).join('');
    default:
      return world.pagerduty.received
        .filter(({ message }) => message.dedup_key.includes(`/${cause.exchange}/`))
        .map(({ message }) => (message.event_action === 'trigger' ? 'T' : 'R'))
        .join('');
  }
}

const CHANNELS = ['slack', 'email', 'webhook', 'pagerduty'];

/** Problems of the received messages; empty when there are none. */
function problemsOf(world: AlertWorld, script: readonly ScriptedCause[]): string[] {
  const problems = script.flatMap((scripted) => {
    const received = CHANNELS.map((channel) => ({ channel, text: receivedOf(world, channel, scripted) }));
    const name = `${scripted.cause.exchange} ${scripted.level} ${scripted.endsAfterMs === null ? 'firing' : 'ended'}`;
    return [
      ...(received.every(({ text }) => text === '') ? [`${name}: lost`] : []),
      ...received
        .filter(({ text }) => !/^T*R*$/.test(text))
        .map(({ channel, text }) => `${name}: ${channel} received ${text}`),
      ...received
        .filter(({ text }) => text !== '' && text.endsWith('T') === (scripted.endsAfterMs !== null))
        .map(({ channel, text }) => `${name}: ${channel} was left with ${text}`),
    ];
  });
  const byMessage = Map.groupBy(
    world.webhook.received,
    ({ message: { notice } }) => `${notice.fingerprint} ${notice.kind} ${notice['level'] as string}`,
  );
  const doubled = [...byMessage]
    .filter(([, sends]) => new Set(sends.map(({ message }) => message.id)).size > 1)
    .map(([what]) => `${what}: two messages instead of one sent twice`);
  return [...problems, ...doubled];
}

test.each(Array.from({ length: KILLS / BATCH }, (_, batch) => batch * BATCH))(
  'kills from %i on: no alert is lost, duplicates have the same key, and each alert ends after it began',
  { timeout: 120_000 },
  async (first) => {
    let sendsRepeated = 0;
    for (let kill = first; kill < first + BATCH; kill++) {
      const world = alertWorld(`kill ${kill}`, { channels: [PAGERDUTY, SLACK, EMAIL, WEBHOOK], failedRatio: 0.1 });
      const script = scriptOf(world);
      await play(world, script);
      expect(problemsOf(world, script), `seed "kill ${kill}"`).toEqual([]);
      expect((await world.act(() => outboxState())).pending, `seed "kill ${kill}"`).toBe(0);
      sendsRepeated +=
        world.webhook.received.length - new Set(world.webhook.received.map(({ message }) => message.id)).size;
    }
    expect(sendsRepeated, 'some messages arrived twice, so the kills had an effect').toBeGreaterThan(0);
  },
);
