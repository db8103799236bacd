import { expect, test } from 'vitest';
import { DAY_MS } from '../../../src/domain/interval.ts';
import type { Ending } from '../../../src/engine/core/ending.ts';
import { healthCheck } from '../../../src/engine/queries/health-check.ts';
import type { Settings } from '../../../src/engine/core/settings.ts';
import { venueOf } from '../../../src/engine/core/exchanges.ts';
import { NO_CHANNELS } from '../../../src/alerting/model/settings.ts';
import { textReply, type StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { socketlessFetch } from '../../support/stand-ins/socketless.ts';
import { standInSlack } from '../../support/stand-ins/stand-in-slack.ts';
import { raiseAlert } from '../../../src/alerting/model/alerts.ts';
import { drainAlerts } from '../../../src/alerting/outbox/delivery.ts';
import { eventOf, SLACK } from '../../support/alert-harness.ts';
import { simulate, type Simulation } from '../../support/simulated.ts';

const HUB = { repo: 'own/candles', token: 'hf_token', endpoint: 'http://hub.test' };

interface Surroundings {
  readonly symbol?: string;
  readonly settings?: Partial<Settings>;
  readonly hosts?: Readonly<Record<string, StandInHandler>>;
  readonly wire?: (handle: StandInHandler) => StandInHandler;
}

const setUp = ({ settings = {}, hosts = {}, wire }: Surroundings): Promise<Simulation> =>
  simulate({
    seed: 'health check',
    symbols: ['BTC/USDT'],
    interval: '1h',
    settings,
    outside: (clock) => ({ fetch: socketlessFetch(clock, hosts) }),
    ...(wire ? { wire } : {}),
  });

const rowsOf = async ({ pipeline, clock }: Simulation, symbol = 'BTC/USDT') =>
  new Map(
    (
      await clock.runUntil(
        healthCheck(pipeline, new Map([['binance', [{ kind: 'symbol', symbol }]]]), new AbortController().signal),
      )
    ).map((row) => [row.check, row]),
  );

const behind =
  (skewMs: number) =>
  (handle: StandInHandler): StandInHandler =>
  async (request, nowMs) => {
    const reply = await handle(request, nowMs);
    return reply.kind === 'answer'
      ? { ...reply, headers: { ...reply.headers, date: new Date(nowMs - skewMs).toUTCString() } }
      : reply;
  };
const answering =
  (status: number): StandInHandler =>
  () =>
    textReply(status, '{}');
const heartbeat = { alerts: { ...NO_CHANNELS, heartbeatUrl: 'http://heart.test/ping' } };

test.each<
  readonly [
    what: string,
    check: string,
    surroundings: Surroundings,
    expected: { readonly status: string; readonly ending: Ending },
  ]
>([
  ['an exchange that responds', 'binance', {}, { status: 'ok', ending: 'done' }],
  ['a clock that is two minutes off', 'binance', { wire: behind(120_000) }, { status: 'warn', ending: 'done' }],
  ['a symbol that is not listed', 'binance', { symbol: 'PEPE/USDT' }, { status: 'warn', ending: 'done' }],
  ['an exchange that forbids us', 'binance', { wire: () => answering(403) }, { status: 'fail', ending: 'refused' }],
  [
    'an exchange that does not respond',
    'binance',
    { wire: () => () => ({ kind: 'silence' }) },
    { status: 'fail', ending: 'unreachable' },
  ],
  ['an undamaged state', 'state', {}, { status: 'ok', ending: 'done' }],
  ['a disk with room', 'disk', {}, { status: 'ok', ending: 'done' }],
  ['no Hub', 'hub', {}, { status: 'ok', ending: 'done' }],
  [
    'a Hub that accepts the token',
    'hub',
    { settings: { hub: HUB }, hosts: { 'http://hub.test': answering(200) } },
    { status: 'ok', ending: 'done' },
  ],
  [
    'a repository that does not exist yet',
    'hub',
    { settings: { hub: HUB }, hosts: { 'http://hub.test': answering(404) } },
    { status: 'ok', ending: 'done' },
  ],
  [
    'a token that the Hub refuses',
    'hub',
    { settings: { hub: HUB }, hosts: { 'http://hub.test': answering(401) } },
    { status: 'fail', ending: 'assetFailed' },
  ],
  [
    'a Hub that does not respond',
    'hub',
    { settings: { hub: HUB }, hosts: { 'http://hub.test': () => ({ kind: 'silence' }) } },
    { status: 'fail', ending: 'assetFailed' },
  ],
  ['an unreachable Hub', 'hub', { settings: { hub: HUB } }, { status: 'fail', ending: 'assetFailed' }],
  ['no alert channel', 'alerts', {}, { status: 'warn', ending: 'done' }],
  [
    'an accepted heartbeat',
    'heartbeat',
    { settings: heartbeat, hosts: { 'http://heart.test': answering(200) } },
    { status: 'ok', ending: 'done' },
  ],
  [
    'a rejected heartbeat',
    'heartbeat',
    { settings: heartbeat, hosts: { 'http://heart.test': answering(404) } },
    { status: 'fail', ending: 'undelivered' },
  ],
])('%s: the row of %s', async (_what, check, surroundings, expected) => {
  const row = (await rowsOf(await setUp(surroundings), surroundings.symbol)).get(check);
  expect(row).toMatchObject(expected);
  expect(row?.fix ?? '', 'doctor never advises doctor').not.toContain('candlekeep doctor');
  expect(row?.fix === null, 'a row that is not ok says what to do').toBe(expected.status === 'ok');
});

test('while the gate is closed for less than a minute, the check reports it, without a wait or a request', async () => {
  const kept = await setUp({});
  const beginMs = kept.clock.nowMs();
  await kept.clock.runUntil(
    venueOf(kept.pipeline.venues, 'binance').policies.gate.close({
      code: 'EXCHANGE_RATE_LIMITED',
      untilMs: beginMs + 40_000,
    }),
  );
  expect((await rowsOf(kept)).get('binance')).toMatchObject({
    status: 'warn',
    detail: 'paused our requests until 12:00:40Z, so none was sent',
    ending: 'done',
  });
  expect([kept.clock.nowMs() - beginMs, kept.venue.log]).toEqual([0, []]);
});

test('the row of a channel: never used, delivered, unused for a month, down', async () => {
  const slack = standInSlack();
  const simulation = await setUp({
    settings: { alerts: { ...NO_CHANNELS, channels: [SLACK] } },
    hosts: { 'http://slack.test': slack.handle },
  });
  const { pipeline, clock } = simulation;
  const seen: unknown[] = [];
  const check = async (): Promise<void> => {
    const row = (await rowsOf(simulation)).get('slack');
    seen.push([row?.status, row?.ending, row?.fix]);
  };
  const notify = async (runId: string): Promise<void> => {
    await pipeline.ports.store.transact(raiseAlert, eventOf({ code: 'DEFECT', asset: runId, level: 'critical' }), {
      nowMs: clock.nowMs(),
      redact: pipeline.dispatcher.redact,
    });
    await clock.runUntil(drainAlerts(pipeline.dispatcher, new AbortController().signal));
  };
  const fix = 'candlekeep alerts test --channel slack';
  await check();
  await notify('gold_huggingface_ohlcv');
  await check();
  await clock.runUntil(clock.sleep(31 * DAY_MS));
  await check();
  slack.plan({ seed: 'gone', rules: [{ on: { every: 1 }, fault: { kind: 'status', status: 404 } }] });
  await notify('silver_ohlcv_normalized');
  await check();
  expect(seen).toEqual([
    ['warn', 'done', fix],
    ['ok', 'done', null],
    ['warn', 'done', fix],
    ['fail', 'undelivered', fix],
  ]);
});
