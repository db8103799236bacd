import { expect, test } from 'vitest';
import { metricsPage } from '../../../src/engine/monitoring/metrics-page.ts';
import { firingAlerts } from '../../../src/alerting/model/alerts.ts';
import { NO_CHANNELS } from '../../../src/alerting/model/settings.ts';
import { textReply, type StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { socketlessFetch } from '../../support/stand-ins/socketless.ts';
import { keepFor, simulate, type Simulation } from '../../support/simulated.ts';
import { simulateWithAlerts } from '../../support/notified.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const START_MS = Date.UTC(2024, 5, 10, 10, 30);
const SYMBOLS = ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'];

const page = ({ pipeline, clock }: Pick<Simulation, 'pipeline' | 'clock'>): Promise<string> =>
  clock.runUntil(metricsPage(pipeline, pipeline.settings.markets));

test('an exchange down for hours is one warning, one page once candles are too late, and one end', async () => {
  const simulation = await simulateWithAlerts({ seed: 'late', symbols: SYMBOLS, interval: '1h', startMs: START_MS });
  await keepFor(simulation, 5 * MINUTE_MS);
  expect(await page(simulation)).toContain('pipeline_data_lateness_seconds{exchange="binance",interval="1h"} 0\n');
  simulation.venue.plan({
    seed: 'late',
    rules: [
      {
        match: { path: '/api/v3' },
        on: { fromMs: 0, toMs: START_MS + 5 * HOUR_MS },
        fault: { kind: 'status', status: 502 },
      },
    ],
  });
  await keepFor(simulation, 4 * HOUR_MS);
  const late = await page(simulation);
  expect(late).toContain('pipeline_rule_firing{rule="RULE_FRESHNESS"} 1\n');
  expect(simulation.pages()).toHaveLength(1);
  expect(simulation.pages()[0]).toMatch(/^trigger \[CRITICAL\] /);
  await keepFor(simulation, 3 * HOUR_MS);
  expect(await page(simulation)).toContain('pipeline_rule_firing{rule="RULE_FRESHNESS"} 0\n');
  expect(simulation.pagerduty.open().size).toBe(0);
  expect(await simulation.pipeline.ports.store.read(firingAlerts)).toEqual([]);
});

test.each(['1m', '5m', '15m'] as const)(
  'an outage of an hour sends no page at %s candles: newer runs take over failed work, and all of it heals',
  { timeout: 60_000 },
  async (interval) => {
    const simulation = await simulateWithAlerts({
      seed: `hour ${interval}`,
      symbols: SYMBOLS,
      interval,
      startMs: START_MS,
    });
    await keepFor(simulation, 10 * MINUTE_MS);
    simulation.venue.plan({
      seed: 'hour',
      rules: [
        {
          match: { path: '/api/v3' },
          on: { fromMs: 0, toMs: START_MS + 70 * MINUTE_MS },
          fault: { kind: 'status', status: 502 },
        },
      ],
    });
    await keepFor(simulation, 60 * MINUTE_MS);
    expect(await page(simulation)).toContain('pipeline_final_failures{asset="bronze_binance_ohlcv"} 0\n');
    await keepFor(simulation, 80 * MINUTE_MS);
    expect(simulation.pages()).toEqual([]);
    expect(simulation.slackTitles().filter((title) => title.startsWith('[CRITICAL]'))).toEqual([]);
    expect(simulation.slackTitles().at(-1)).toMatch(/^\[RESOLVED\] EXCHANGE_SERVER_ERROR at binance/);
    expect(await simulation.pipeline.ports.store.read(firingAlerts)).toEqual([]);
  },
);

test('consequences of a flapping cause are not sent beside its end', async () => {
  const simulation = await simulateWithAlerts({ seed: 'flap', symbols: SYMBOLS, interval: '1m', startMs: START_MS });
  const outageFrom = (minutes: number) => ({
    match: { path: '/api/v3/klines' },
    on: { fromMs: START_MS + minutes * MINUTE_MS, toMs: START_MS + (minutes + 7) * MINUTE_MS },
    fault: { kind: 'status', status: 502 } as const,
  });
  await keepFor(simulation, 5 * MINUTE_MS);
  simulation.venue.plan({ seed: 'flap', rules: [outageFrom(10), outageFrom(25)] });
  await keepFor(simulation, 120 * MINUTE_MS);
  expect(simulation.slackTitles().map((title) => title.split(' at ')[0])).toEqual([
    '[WARNING] EXCHANGE_SERVER_ERROR',
    '[RESOLVED] EXCHANGE_SERVER_ERROR',
    '[WARNING] EXCHANGE_SERVER_ERROR',
    '[RESOLVED] EXCHANGE_SERVER_ERROR',
  ]);
});

test('a permanent fault pages after four runs within an hour and ends with the next complete run', async () => {
  const simulation = await simulateWithAlerts({ seed: 'shape', symbols: SYMBOLS, interval: '5m', startMs: START_MS });
  await keepFor(simulation, 2 * MINUTE_MS);
  simulation.venue.plan({
    seed: 'shape',
    rules: [
      {
        match: { path: '/api/v3/klines' },
        on: { fromMs: 0, toMs: START_MS + 27 * MINUTE_MS },
        fault: { kind: 'status', status: 400, venueCode: -1100 },
      },
    ],
  });
  await keepFor(simulation, 17 * MINUTE_MS);
  expect(await page(simulation)).toContain('pipeline_final_failures{asset="bronze_binance_ohlcv"} 3\n');
  expect(simulation.pages()).toEqual([]);
  await keepFor(simulation, 6 * MINUTE_MS);
  expect(simulation.pages()).toEqual([expect.stringMatching(/^trigger \[CRITICAL\] REQUEST_REJECTED at binance/)]);
  await keepFor(simulation, 15 * MINUTE_MS);
  expect(await page(simulation)).toContain('pipeline_final_failures{asset="bronze_binance_ohlcv"} 0\n');
  expect(simulation.pages().slice(1)).toEqual(['resolve']);
});

test('a Retry-After of ten minutes holds for the open day too: one warning with the time, and its end', async () => {
  const simulation = await simulateWithAlerts({ seed: 'wait', symbols: SYMBOLS, interval: '4h', startMs: START_MS });
  await keepFor(simulation, HOUR_MS);
  const closeMs = Date.UTC(2024, 5, 10, 12);
  simulation.venue.plan({
    seed: 'wait',
    rules: [
      {
        match: { path: '/api/v3/klines' },
        on: { fromMs: closeMs, toMs: closeMs + 30_000 },
        fault: { kind: 'status', status: 429, retryAfter: '600' },
      },
    ],
  });
  await keepFor(simulation, 45 * MINUTE_MS);
  expect(simulation.slackTitles()).toEqual([
    expect.stringMatching(/^\[WARNING\] EXCHANGE_RATE_LIMITED at binance/),
    expect.stringMatching(/^\[RESOLVED\] EXCHANGE_RATE_LIMITED at binance: over after 1\d min/),
  ]);
  expect(JSON.stringify(simulation.slack.received[0])).toContain('healing 1/3, next at 2024-06-10T12:10Z');
  expect(await page(simulation)).toContain('pipeline_data_lateness_seconds{exchange="binance",interval="4h"} 0\n');
  expect(simulation.venue.log.filter(({ sentWhileClosed }) => sentWhileClosed)).toEqual([]);
  expect([simulation.pages(), simulation.mails()]).toEqual([[], []]);
});

test('one symbol that fails at the close is requested again minutes later, without the others', async () => {
  const simulation = await simulateWithAlerts({ seed: 'one', symbols: SYMBOLS, interval: '4h', startMs: START_MS });
  await keepFor(simulation, HOUR_MS);
  const closeMs = Date.UTC(2024, 5, 10, 12);
  simulation.venue.plan({
    seed: 'one',
    rules: [
      {
        match: { path: '/api/v3/klines', symbol: 'ETHUSDT' },
        on: { fromMs: closeMs, toMs: closeMs + 3 * MINUTE_MS },
        fault: { kind: 'status', status: 502 },
      },
    ],
  });
  await keepFor(simulation, 45 * MINUTE_MS);
  const requests = simulation.venue.log.filter(({ atMs, candles }) => atMs >= closeMs && candles !== null);
  expect(requests.filter(({ candles, atMs }) => candles?.symbol !== 'ETHUSDT' && atMs >= closeMs + MINUTE_MS)).toEqual(
    [],
  );
  expect(requests.filter(({ candles }) => candles?.symbol === 'ETHUSDT').at(-1)).toMatchObject({ status: 200 });
  expect(simulation.slackTitles().map((title) => title.split(' at ')[0])).toEqual([
    '[WARNING] EXCHANGE_SERVER_ERROR',
    '[RESOLVED] EXCHANGE_SERVER_ERROR',
  ]);
});

test('the heartbeat is sent every minute, and to /fail while no channel can deliver', async () => {
  const beats: string[] = [];
  const heart: StandInHandler = ({ path }) => {
    beats.push(path);
    return textReply(200, 'OK');
  };
  const simulation = await simulate({
    seed: 'heart',
    symbols: SYMBOLS,
    interval: '1h',
    startMs: START_MS,
    settings: {
      alerts: {
        ...NO_CHANNELS,
        heartbeatUrl: 'http://heart.test/ping/uuid',
        channels: [{ name: 'slack', isDefault: true, kind: 'slack', url: 'http://nobody.test/services/x' }],
      },
    },
    outside: (clock) => ({ fetch: socketlessFetch(clock, { 'http://heart.test': heart }) }),
  });
  await keepFor(simulation, 10 * MINUTE_MS + 30_000);
  expect(beats.length).toBeGreaterThanOrEqual(10);
  expect(new Set(beats)).toEqual(new Set(['/ping/uuid']));
  simulation.venue.plan({
    seed: 'x',
    rules: [
      { match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'status', status: 403, body: 'html' } },
    ],
  });
  await keepFor(simulation, HOUR_MS);
  expect(beats.at(-1)).toBe('/ping/uuid/fail');
  expect(simulation.pipeline.ports.files.exists(simulation.pipeline.lake.undelivered)).toBe(true);
});

test('the metrics page has every kind of value: runs, requests, gaps, limits, breakers, outbox', async () => {
  const simulation = await simulateWithAlerts({
    seed: 'page',
    symbols: SYMBOLS,
    interval: '1h',
    startMs: START_MS,
    settings: { tags: { team: 'data', criticality: 'high', note: 'x' } },
  });
  simulation.venue.plan({
    seed: 'page',
    rules: [
      {
        match: { path: '/api/v3/klines', symbol: 'ETHUSDT' },
        on: { nth: [1] },
        fault: { kind: 'status', status: 502 },
      },
    ],
  });
  await keepFor(simulation, 5 * MINUTE_MS);
  const text = await page(simulation);
  for (const line of [
    'pipeline_info{team="data",criticality="high",alert_channel=""} 1',
    'pipeline_runs_total{asset="bronze_binance_ohlcv",outcome="complete",trigger="schedule"} 1',
    'pipeline_http_attempts_total{exchange="binance",outcome="EXCHANGE_SERVER_ERROR"} 1',
    'pipeline_http_attempts_total{exchange="binance",outcome="ok"} 3',
    'pipeline_gaps{exchange="binance",interval="1h",reason="pending"} 0',
    'pipeline_breaker_state{exchange="binance"} 0',
    'pipeline_alert_outbox_oldest_seconds 0',
    'pipeline_symbols{exchange="binance",asset="bronze_binance_ohlcv",state="ok"} 3',
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).toMatch(/^pipeline_ratelimit_used_ratio\{exchange="binance",limit="[^"]+"\} \d/m);
  expect(text).toMatch(/^pipeline_heartbeat_timestamp_seconds 1\d{9}/m);
});

test('when rules cannot be evaluated, candles still come, the log says so, and /fail is pinged', async () => {
  const beats: string[] = [];
  const simulation = await simulate({
    seed: 'blind',
    symbols: SYMBOLS,
    interval: '1h',
    startMs: START_MS,
    settings: { alerts: { ...NO_CHANNELS, heartbeatUrl: 'http://heart.test/ping' } },
    outside: (clock) => ({
      fetch: socketlessFetch(clock, { 'http://heart.test': ({ path }) => (beats.push(path), textReply(200, 'OK')) }),
    }),
  });
  await keepFor(simulation, 3 * MINUTE_MS, {
    watched: () => Promise.reject(new RangeError('the markets are unknown')),
  });
  expect(new Set(beats)).toEqual(new Set(['/ping/fail']));
  expect(
    simulation.log.lines.filter(({ message }) =>
      message.startsWith('rules were not evaluated: the markets are unknown'),
    ),
  ).toHaveLength(3);
  expect(simulation.candleRequests()).toBeGreaterThan(0);
});
