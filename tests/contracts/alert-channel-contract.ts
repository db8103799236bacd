import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../src/platform/ports/clock.ts';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { undiciHttp } from '../../src/platform/node/undici-http.ts';
import { smtpMail } from '../../src/platform/node/smtp-mail.ts';
import type { Channel, Dispatch } from '../../src/alerting/channels/channel.ts';
import type { Notification } from '../../src/alerting/plan/notification.ts';
import type { ChannelSettings } from '../../src/alerting/model/settings.ts';
import { openChannels } from '../../src/alerting/outbox/open-channels.ts';
import { AlertChannelError } from '../../src/errors/errors.ts';
import type { FaultSpec } from '../../src/simulation/fault-plan.ts';
import { serveOnLoopback } from '../../src/simulation/loopback.ts';
import type { StandInRequest } from '../../src/simulation/stand-ins/reply.ts';
import type { StandInChannel } from '../support/stand-ins/stand-in-channel.ts';

/** Secrets of all channels: none may appear in an error. */
export const ROUTING_KEY = 'R0UT1NGK3Y'.padEnd(32, 'x');
export const SECRET = 'webhook-secret';
export const SLACK_PATH = '/services/T0/B0/secret';
export const PASSWORD = 'smtp-password';
const SECRETS = [ROUTING_KEY, SECRET, SLACK_PATH, PASSWORD];

export const NOTIFICATION: Notification = {
  kind: 'trigger',
  instance: 'test',
  fingerprint: 'binance/REQUEST_REJECTED/bronze_binance_ohlcv',
  code: 'REQUEST_REJECTED',
  exchange: 'binance',
  asset: 'bronze_binance_ohlcv',
  level: 'error',
  title: '[ERROR] REQUEST_REJECTED at binance: 3 of 40 symbols failed',
  text: '3 of 40 symbols failed',
  safe: '37 symbols are stored',
  next: 'healing 1/3, next at 14:05Z',
  command: 'candlekeep runs show run_1',
  runId: 'run_1',
  affected: { total: 3, worst: ['BTC/USDT', 'ETH/USDT'] },
  tags: { team: 'data' },
  firedAtMs: Date.UTC(2024, 6, 1),
  atMs: Date.UTC(2024, 6, 1),
  runbook: 'https://example.org/runbook/REQUEST_REJECTED.md',
  lines: [],
};
export const dispatch = (part: Partial<Notification> = {}): Dispatch => ({
  id: 'msg_1',
  dedupKey: 'candlekeep/test/binance/REQUEST_REJECTED/bronze_binance_ohlcv',
  notification: { ...NOTIFICATION, ...part },
});

/** Waits take a hundredth of the time: a channel that hangs times out after 100 ms of real time. */
export const HURRIED_CLOCK: Clock = { ...realClock, sleep: (waitMs, signal) => realClock.sleep(waitMs / 100, signal) };

export interface HttpCase {
  readonly kind: 'slack' | 'pagerduty' | 'webhook';
  readonly standIn: () => StandInChannel<unknown>;
  readonly settings: (origin: string) => ChannelSettings;
  /** True when a page of HTML with status 200 counts as success. */
  readonly acceptsAnyBody: boolean;
  /** Status of an accepted message. */
  readonly acceptedStatus: number;
}

export async function openHttp(
  { standIn: openStandIn, settings }: HttpCase,
  clock: Clock = realClock,
): Promise<{ channel: Channel; standIn: StandInChannel<unknown> }> {
  const standIn = openStandIn();
  const server = await serveOnLoopback(standIn.handle, { clock: realClock });
  const http = undiciHttp();
  onTestFinished(async () => {
    await http.close();
    await server.close();
  });
  const [channel] = openChannels({ clock, fetch: http.fetch, mailTo: smtpMail }, [settings(server.url)]);
  return { channel: channel as Channel, standIn };
}

export const neverAborted = (): AbortSignal => new AbortController().signal;
export const failureOf = (channel: Channel, what = dispatch()): Promise<unknown> =>
  channel.send(what, neverAborted()).then(
    () => null,
    (error: unknown) => error,
  );

/** Each misbehaviour of a channel and the failure it is classified as. */
const MISBEHAVIOURS: readonly (readonly [
  FaultSpec,
  { readonly failure: string; readonly status?: number | null; readonly retryAfterMs?: number | null },
])[] = [
  [
    { kind: 'status', status: 429, retryAfter: '7' },
    { failure: 'limited', status: 429, retryAfterMs: 7_000 },
  ],
  [
    { kind: 'status', status: 500 },
    { failure: 'transient', status: 500 },
  ],
  [
    { kind: 'status', status: 503, body: 'html', retryAfter: '3' },
    { failure: 'transient', status: 503, retryAfterMs: 3_000 },
  ],
  [
    { kind: 'status', status: 408 },
    { failure: 'transient', status: 408 },
  ],
  [
    { kind: 'status', status: 302, body: 'empty' },
    { failure: 'permanent', status: 302 },
  ],
  [
    { kind: 'status', status: 401 },
    { failure: 'permanent', status: 401 },
  ],
  [
    { kind: 'status', status: 403 },
    { failure: 'permanent', status: 403 },
  ],
  [
    { kind: 'status', status: 404 },
    { failure: 'permanent', status: 404 },
  ],
  [
    { kind: 'status', status: 410 },
    { failure: 'permanent', status: 410 },
  ],
  [
    { kind: 'status', status: 400 },
    { failure: 'refused', status: 400 },
  ],
  [
    { kind: 'status', status: 413, body: 'html' },
    { failure: 'refused', status: 413 },
  ],
  [{ kind: 'reset' }, { failure: 'transient', status: null }],
  [{ kind: 'answer-lost' }, { failure: 'transient', status: null }],
];

/** What an alert has to show, each with a unique value. */
export const FACTS: readonly (readonly [what: string, mark: string, marked: Partial<Notification>])[] = [
  ['its level and title', '[CRITICAL] a title', { title: '[CRITICAL] a title' }],
  ['what happened', 'a sentence about it', { text: 'a sentence about it' }],
  ['the code', 'SYMBOL_INVALID', { code: 'SYMBOL_INVALID' }],
  ['the run id', 'run_marked', { runId: 'run_marked' }],
  ['what is safe', 'all else is stored', { safe: 'all else is stored' }],
  ['the next automatic step', 'asked again at noon', { next: 'asked again at noon' }],
  ['one command', 'candlekeep doctor', { command: 'candlekeep doctor' }],
  ['the link to the runbook', 'https://runbook.test/page', { runbook: 'https://runbook.test/page' }],
  ['the exchange', 'okx', { exchange: 'okx' }],
  ['the asset', 'gold_huggingface_ohlcv', { asset: 'gold_huggingface_ohlcv' }],
  ['the worst symbols', 'DOGE/USDT', { affected: { total: 1, worst: ['DOGE/USDT'] } }],
  ['the tags', 'night-watch', { tags: { team: 'night-watch' } }],
  ['which installation speaks', 'second-site', { instance: 'second-site' }],
];

const anyText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 1_000, maxLength: 9_000 }),
  fc.constant('<&>'.repeat(5_000)),
);
export const anyNotification: fc.Arbitrary<Notification> = fc
  .record({
    kind: fc.constantFrom('trigger', 'digest'),
    title: anyText.map((text) => `[ERROR] ${text}`),
    text: anyText.map((text) => `x${text}`),
    safe: anyText,
    next: anyText,
    command: anyText,
    lines: fc.array(anyText, { maxLength: 60 }),
    affected: fc.record({ total: fc.nat(1_000), worst: fc.array(anyText, { maxLength: 20 }) }),
  })
  .map((parts) => ({ ...NOTIFICATION, ...parts }));

export const requestOf = (path: string, body: unknown): StandInRequest => ({
  method: 'POST',
  path,
  query: new URLSearchParams(),
  headers: {},
  body: Buffer.from(JSON.stringify(body)),
});

/** The contract of every HTTP channel. */
export function describeHttpChannel(httpCase: HttpCase): void {
  describe(`channel ${httpCase.kind}`, () => {
    test.each(FACTS)('a message is accepted, and the channel shows %s', async (_what, mark, marked) => {
      const { channel, standIn } = await openHttp(httpCase);
      await channel.send(dispatch(), neverAborted());
      await channel.send(dispatch(marked), neverAborted());
      expect(new Set(standIn.statuses)).toEqual(new Set([httpCase.acceptedStatus]));
      expect(standIn.received.map(({ message }) => JSON.stringify(message).includes(mark))).toEqual([false, true]);
    });

    test.each(MISBEHAVIOURS)('%j', async (fault, expected) => {
      const { channel, standIn } = await openHttp(httpCase);
      standIn.plan({ seed: 'one', rules: [{ on: { nth: [1] }, fault }] });
      const error = await failureOf(channel);
      expect(error).toBeInstanceOf(AlertChannelError);
      expect(error).toMatchObject({ code: 'ALERT_CHANNEL_BROKEN', facts: { channel: channel.name, ...expected } });
      for (const secret of SECRETS) expect((error as Error).message).not.toContain(secret);
      expect(standIn.received).toHaveLength(fault.kind === 'answer-lost' ? 1 : 0);
      await channel.send(dispatch(), neverAborted());
      expect(new Set(standIn.received.map(({ message }) => JSON.stringify(message))).size).toBe(1);
    });

    test.each(['silence', 'stall'] as const)('a channel that hangs (%s) times out after ten seconds', async (kind) => {
      const { channel, standIn } = await openHttp(httpCase, HURRIED_CLOCK);
      standIn.plan({ seed: 'hang', rules: [{ on: { every: 1 }, fault: { kind } }] });
      expect(await failureOf(channel)).toMatchObject({
        facts: { failure: 'transient', status: null },
        message: expect.stringContaining('10 s') as string,
      });
    });

    test('a page of HTML with status 200 is a failure where the protocol defines success', async () => {
      const { channel, standIn } = await openHttp(httpCase);
      standIn.plan({ seed: 'html', rules: [{ on: { every: 1 }, fault: { kind: 'html' } }] });
      const error = await failureOf(channel);
      if (httpCase.acceptsAnyBody) expect(error).toBeNull();
      else expect(error).toMatchObject({ facts: { failure: 'transient', status: 200 } });
    });

    test('a cancellation rejects with its reason, not with a channel error', async () => {
      const { channel, standIn } = await openHttp(httpCase);
      standIn.plan({ seed: 'hang', rules: [{ on: { every: 1 }, fault: { kind: 'silence' } }] });
      const controller = new AbortController();
      const reason = new Error('Ctrl-C');
      const sending = channel.send(dispatch(), controller.signal);
      controller.abort(reason);
      await expect(sending).rejects.toBe(reason);
    });

    test('a closed port or an invalid address is a transient failure', async () => {
      const closed = await serveOnLoopback(() => ({ kind: 'reset' }), { clock: realClock });
      await closed.close();
      for (const origin of [closed.url, 'http://127.0.0.1:1']) {
        const { channel } = await openHttp({ ...httpCase, settings: () => httpCase.settings(origin) });
        expect(await failureOf(channel)).toMatchObject({ facts: { failure: 'transient', status: null } });
      }
    });
  });
}
