import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fingerprintOf, type Alert } from '../model/alert.ts';
import {
  FLAPPING_WINDOW_MS,
  planNotifications,
  type PlannedNotification,
  type NotificationContext,
  type DeliveredNotification,
} from './notification-plan.ts';

const MINUTE_MS = 60_000;
const SLACK = { name: 'slack', kind: 'slack', isDefault: true } as const;
const CAUSE = { exchange: 'binance', code: 'REQUEST_REJECTED', asset: 'bronze_binance_ohlcv' } as const;
const ALERT: Alert = {
  ...CAUSE,
  fingerprint: fingerprintOf(CAUSE),
  scope: 'symbols',
  episode: 1,
  level: 'warning',
  firedAtMs: 0,
  seenAtMs: 0,
  resolvedAtMs: null,
  resolution: null,
  ackedBy: null,
  facts: { summary: 's', safe: 's', next: 'n', command: 'c', runId: null, affected: { total: 0, worst: [] }, tags: {} },
};
const DELIVERED: DeliveredNotification = {
  messageId: 'msg_1',
  kind: 'trigger',
  level: 'warning',
  episode: 1,
  state: 'sent',
  attempts: 1,
  atMs: 0,
};
const context = (part: Partial<NotificationContext> = {}): NotificationContext => ({
  inhibition: { hiddenBy: null, level: 'warning', explains: [] },
  isSilenced: false,
  delivered: new Map(),
  acknowledged: new Set(),
  firingsInHour: 1,
  channels: [SLACK],
  isUsable: () => true,
  nowMs: MINUTE_MS,
  groupWaitMs: 0,
  repeatMs: 240 * MINUTE_MS,
  ...part,
});
const notifications = (alert: Partial<Alert>, part: Partial<NotificationContext>): readonly PlannedNotification[] =>
  planNotifications({ ...ALERT, ...alert }, context(part)).notifications;
const slackHas = (part: Partial<DeliveredNotification>): ReadonlyMap<string, DeliveredNotification> =>
  new Map([['slack', { ...DELIVERED, ...part }]]);
const trigger = { do: 'send', channel: 'slack', kind: 'trigger', level: 'warning' };

test('a channel is not notified again of what it has, or is about to get', () => {
  expect(notifications({}, {})).toEqual([trigger]);
  expect(notifications({}, { delivered: slackHas({}) })).toEqual([]);
  expect(notifications({}, { delivered: slackHas({ state: 'pending', attempts: 0 }) })).toEqual([]);
  expect(notifications({}, { delivered: slackHas({ state: 'rerouted' }) })).toEqual([trigger]);
  expect(notifications({ episode: 2 }, { delivered: slackHas({ kind: 'resolve' }) })).toEqual([trigger]);
});

test('a worse level is sent, a milder one is not', () => {
  const inhibition = { hiddenBy: null, level: 'error', explains: [] } as const;
  expect(notifications({}, { delivered: slackHas({}), inhibition })).toEqual([{ ...trigger, level: 'error' }]);
  expect(notifications({}, { delivered: slackHas({ level: 'critical' }), inhibition })).toEqual([]);
});

test('all levels but critical wait for the group', () => {
  expect(notifications({}, { groupWaitMs: 2 * MINUTE_MS })).toEqual([]);
  expect(
    notifications({}, { groupWaitMs: 2 * MINUTE_MS, inhibition: { hiddenBy: null, level: 'critical', explains: [] } }),
  ).toHaveLength(1);
});

test('a refused message is not sent again in the same episode', () => {
  expect(notifications({}, { delivered: slackHas({ state: 'refused' }) })).toEqual([]);
  const email = { name: 'email', kind: 'email', isDefault: true } as const;
  expect(notifications({}, { delivered: slackHas({ state: 'refused' }), channels: [SLACK, email] })).toEqual([
    { ...trigger, channel: 'email' },
  ]);
});

test('the end goes once to each channel that was notified of the beginning', () => {
  const resolvedAtMs = MINUTE_MS;
  expect(planNotifications({ ...ALERT, resolvedAtMs }, context({ delivered: slackHas({}) }))).toEqual({
    notifications: [{ ...trigger, kind: 'resolve' }],
    isSettled: true,
  });
  expect(planNotifications({ ...ALERT, resolvedAtMs }, context({ delivered: slackHas({ kind: 'resolve' }) }))).toEqual({
    notifications: [],
    isSettled: true,
  });
  expect(notifications({ resolvedAtMs }, { delivered: slackHas({ state: 'pending', attempts: 0 }) })).toEqual([
    { do: 'collapse', messageId: 'msg_1' },
  ]);
  expect(notifications({ resolvedAtMs }, { delivered: slackHas({ state: 'pending', attempts: 1 }) })).toEqual([
    { ...trigger, kind: 'resolve' },
  ]);
  expect(notifications({ resolvedAtMs }, {})).toEqual([{ ...trigger, kind: 'healed' }]);
});

test('the end of a hidden or silenced alert is not sent to channels that never saw it', () => {
  const resolvedAtMs = MINUTE_MS;
  for (const part of [
    { inhibition: { hiddenBy: 'other', level: 'warning', explains: [] } as const },
    { isSilenced: true },
  ]) {
    expect(planNotifications({ ...ALERT, resolvedAtMs }, context(part))).toEqual({
      notifications: [],
      isSettled: true,
    });
    expect(notifications({ resolvedAtMs }, { ...part, delivered: slackHas({}) })).toEqual([
      { ...trigger, kind: 'resolve' },
    ]);
  }
});

/** Plays a cause that flaps; plans every minute and at each change, as `start` does. */
function play(spansMs: readonly number[]): { readonly atMs: number; readonly kind: string }[] {
  const sent: { atMs: number; kind: string }[] = [];
  const firings: number[] = [];
  let alert: Alert = { ...ALERT, episode: 0, resolvedAtMs: 0 };
  let last: DeliveredNotification | null = null;
  let nowMs = 10 * FLAPPING_WINDOW_MS;
  const notify = (): void => {
    const firingsInHour = firings.filter((atMs) => atMs > nowMs - FLAPPING_WINDOW_MS).length;
    const plan = planNotifications(
      alert,
      context({
        nowMs,
        firingsInHour,
        delivered: last === null ? new Map() : new Map([['slack', last]]),
        repeatMs: Infinity,
      }),
    );
    for (const planned of plan.notifications) {
      if (planned.do !== 'send' || planned.kind === 'acknowledge') continue;
      sent.push({ atMs: nowMs, kind: planned.kind });
      last = { ...DELIVERED, kind: planned.kind, episode: alert.episode, atMs: nowMs };
    }
  };
  const pass = (spanMs: number): void => {
    for (const endMs = nowMs + spanMs; nowMs < endMs; nowMs = Math.min(endMs, nowMs + MINUTE_MS)) notify();
  };
  for (const [at, spanMs] of spansMs.entries()) {
    if (at % 2 === 0) firings.push(nowMs);
    alert =
      at % 2 === 0
        ? { ...alert, episode: alert.episode + 1, firedAtMs: nowMs, resolvedAtMs: null }
        : { ...alert, resolvedAtMs: nowMs };
    pass(spanMs);
  }
  alert = { ...alert, resolvedAtMs: alert.resolvedAtMs ?? nowMs };
  pass(2 * FLAPPING_WINDOW_MS);
  return sent;
}

test('a flapping cause gives at most four messages an hour, begin and end alternate, and the end comes last', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: MINUTE_MS, max: 40 * MINUTE_MS }), { minLength: 1, maxLength: 30 }),
      (spansMs) => {
        const sent = play(spansMs);
        for (const { atMs } of sent)
          expect(
            sent.filter((other) => other.atMs >= atMs && other.atMs < atMs + FLAPPING_WINDOW_MS).length,
          ).toBeLessThanOrEqual(4);
        expect(sent.map(({ kind }) => kind).join(' ')).toMatch(/^(trigger resolve ?)+$/);
      },
    ),
  );
});
