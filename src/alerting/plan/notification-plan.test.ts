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
const TOLD: DeliveredNotification = {
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
  told: new Map(),
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
const told = (part: Partial<DeliveredNotification>): ReadonlyMap<string, DeliveredNotification> =>
  new Map([['slack', { ...TOLD, ...part }]]);
const trigger = { do: 'send', channel: 'slack', kind: 'trigger', level: 'warning' };

test('what a channel was told, or will be, it is not told again', () => {
  expect(notifications({}, {})).toEqual([trigger]);
  expect(notifications({}, { told: told({}) })).toEqual([]);
  expect(notifications({}, { told: told({ state: 'pending', attempts: 0 }) })).toEqual([]);
  expect(notifications({}, { told: told({ state: 'rerouted' }) })).toEqual([trigger]);
  expect(notifications({ episode: 2 }, { told: told({ kind: 'resolve' }) })).toEqual([trigger]);
});

test('worse is told, milder is not', () => {
  const inhibition = { hiddenBy: null, level: 'error', explains: [] } as const;
  expect(notifications({}, { told: told({}), inhibition })).toEqual([{ ...trigger, level: 'error' }]);
  expect(notifications({}, { told: told({ level: 'critical' }), inhibition })).toEqual([]);
});

test('all but critical wait for company', () => {
  expect(notifications({}, { groupWaitMs: 2 * MINUTE_MS })).toEqual([]);
  expect(
    notifications({}, { groupWaitMs: 2 * MINUTE_MS, inhibition: { hiddenBy: null, level: 'critical', explains: [] } }),
  ).toHaveLength(1);
});

test('a refused message is not sent again in the same episode', () => {
  expect(notifications({}, { told: told({ state: 'refused' }) })).toEqual([]);
  const email = { name: 'email', kind: 'email', isDefault: true } as const;
  expect(notifications({}, { told: told({ state: 'refused' }), channels: [SLACK, email] })).toEqual([
    { ...trigger, channel: 'email' },
  ]);
});

test('what ended is told to who heard that it began, once', () => {
  const resolvedAtMs = MINUTE_MS;
  expect(planNotifications({ ...ALERT, resolvedAtMs }, context({ told: told({}) }))).toEqual({
    tellings: [{ ...trigger, kind: 'resolve' }],
    isSettled: true,
  });
  expect(planNotifications({ ...ALERT, resolvedAtMs }, context({ told: told({ kind: 'resolve' }) }))).toEqual({
    tellings: [],
    isSettled: true,
  });
  expect(notifications({ resolvedAtMs }, { told: told({ state: 'pending', attempts: 0 }) })).toEqual([
    { do: 'collapse', messageId: 'msg_1' },
  ]);
  expect(notifications({ resolvedAtMs }, { told: told({ state: 'pending', attempts: 1 }) })).toEqual([
    { ...trigger, kind: 'resolve' },
  ]);
  expect(notifications({ resolvedAtMs }, {})).toEqual([{ ...trigger, kind: 'healed' }]);
});

test("the end of what was hidden or silenced is nobody's news", () => {
  const resolvedAtMs = MINUTE_MS;
  for (const part of [
    { sight: { hiddenBy: 'other', level: 'warning', explains: [] } as const },
    { isSilenced: true },
  ]) {
    expect(planNotifications({ ...ALERT, resolvedAtMs }, context(part))).toEqual({ tellings: [], isSettled: true });
    expect(notifications({ resolvedAtMs }, { ...part, told: told({}) })).toEqual([{ ...trigger, kind: 'resolve' }]);
  }
});

/** Plays a cause that comes and goes, asking for the plan every minute and at each change, as `start` does. */
function play(spansMs: readonly number[]): { readonly atMs: number; readonly kind: string }[] {
  const sent: { atMs: number; kind: string }[] = [];
  const firings: number[] = [];
  let alert: Alert = { ...ALERT, episode: 0, resolvedAtMs: 0 };
  let last: DeliveredNotification | null = null;
  let nowMs = 10 * FLAPPING_WINDOW_MS;
  const tell = (): void => {
    const firingsInHour = firings.filter((atMs) => atMs > nowMs - FLAPPING_WINDOW_MS).length;
    const plan = planNotifications(
      alert,
      context({
        nowMs,
        firingsInHour,
        told: last === null ? new Map() : new Map([['slack', last]]),
        repeatMs: Infinity,
      }),
    );
    for (const planned of plan.notifications) {
      if (planned.do !== 'send' || planned.kind === 'acknowledge') continue;
      sent.push({ atMs: nowMs, kind: planned.kind });
      last = { ...TOLD, kind: planned.kind, episode: alert.episode, atMs: nowMs };
    }
  };
  const pass = (spanMs: number): void => {
    for (const endMs = nowMs + spanMs; nowMs < endMs; nowMs = Math.min(endMs, nowMs + MINUTE_MS)) tell();
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

test('however a cause comes and goes: at most four messages in any hour, beginning and end by turns, and the end is told last', () => {
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
