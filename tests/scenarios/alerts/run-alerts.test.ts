import type { RunRequest } from '../../../src/state/run-request.ts';
import { expect, test } from 'vitest';
import { firingAlerts } from '../../../src/alerting/model/alerts.ts';
import { outboxState } from '../../../src/alerting/outbox/outbox.ts';
import { beginRun, createRun } from '../../../src/state/runs.ts';
import { liftHalts } from '../../../src/state/halts.ts';
import { storedSamples } from '../../../src/metrics/values.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import type { FaultPlan, FaultSpec } from '../../../src/simulation/fault-plan.ts';
import { generatedWorld } from '../../../src/simulation/generated-world.ts';
import { simulateWithAlerts } from '../../support/notified.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY = { start: '2026-05-30', end: '2026-05-30' };

const symbolsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `C${String(at).padStart(3, '0')}/USDT`);
const worldOf = (symbols: readonly string[]) =>
  generatedWorld(
    'alerts',
    symbols.map((symbol) => ({
      symbol,
      venueSymbol: symbol.replace('/', ''),
      interval: '1h',
      range: dayRange(DAY.start),
    })),
  );
/** Every symbol gets the same fault until `untilMs`. */
const until = (untilMs: number, fault: FaultSpec): FaultPlan => ({
  seed: 'alerts',
  rules: [{ match: { path: '/api/v3/klines' }, on: { fromMs: 0, toMs: untilMs }, fault }],
});
const HEALTHY: FaultPlan = { seed: 'calm', rules: [] };

const simulated = (seed: string, count = 4) => {
  const symbols = symbolsOf(count);
  return simulateWithAlerts({ seed, symbols, interval: '1h', world: worldOf(symbols) });
};
type SimulationWithAlerts = Awaited<ReturnType<typeof simulated>>;
const firing = ({ pipeline }: SimulationWithAlerts) => pipeline.ports.store.read(firingAlerts);

test('500 symbols that fail with one cause are one trigger and one resolve', async () => {
  const simulation = await simulated('500', 500);
  simulation.venue.plan(until(simulation.clock.nowMs() + 4 * MINUTE_MS, { kind: 'status', status: 404, body: 'json' }));
  simulation.stay();
  await simulation.run({ days: DAY });
  await simulation.pass(2 * MINUTE_MS);
  expect(simulation.slackTitles()).toHaveLength(1);
  simulation.venue.plan(HEALTHY);
  await simulation.pass(10 * MINUTE_MS);
  expect(await simulation.heal('none')).toMatchObject({ pending: 0 });
  await simulation.pass(HOUR_MS);
  expect(simulation.slackTitles().map((title) => title.split(' at ')[0])).toEqual([
    expect.stringMatching(/^\[(ERROR|WARNING)\]/),
    expect.stringMatching(/^\[RESOLVED\]/),
  ]);
  expect(simulation.pages()).toEqual([]);
});

test('a failure that heals within its own run sends nothing', async () => {
  const simulation = await simulated('inside');
  simulation.venue.plan({
    seed: 'inside',
    rules: [{ match: { path: '/api/v3/klines' }, on: { nth: [1, 3] }, fault: { kind: 'status', status: 502 } }],
  });
  simulation.stay();
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'done' });
  await simulation.pass(HOUR_MS);
  expect([simulation.slackTitles(), simulation.pages(), simulation.mails(), await firing(simulation)]).toEqual([
    [],
    [],
    [],
    [],
  ]);
});

test('a run that heals on its first retry is one warning and its resolve: no page, no e-mail', async () => {
  const simulation = await simulated('first retry');
  simulation.venue.plan(until(simulation.clock.nowMs() + 70_000, { kind: 'status', status: 503 }));
  simulation.stay();
  expect((await simulation.run({ days: DAY })).runs[0]).toMatchObject({ outcome: 'failed' });
  await simulation.pass(2 * MINUTE_MS);
  expect(JSON.stringify(simulation.slack.received[0])).toContain('healing 1/3, next at');
  expect(await simulation.heal('all')).toMatchObject({ runs: [{ trigger: 'retry', outcome: 'complete' }] });
  await simulation.pass(HOUR_MS);
  expect(simulation.slackTitles()).toEqual([
    expect.stringMatching(/^\[WARNING\] \w+ at binance: 2026-05-30: 4 of 4 symbols failed/),
    expect.stringMatching(/^\[RESOLVED\] \w+ at binance: over after .*, healed by run_/),
  ]);
  expect([simulation.pages(), simulation.mails()]).toEqual([[], []]);
});

test('a persistent failure gets its final level once the retries are used up, in one message', async () => {
  const simulation = await simulated('used up');
  simulation.venue.plan(until(simulation.clock.nowMs() + 3 * HOUR_MS, { kind: 'status', status: 500 }));
  simulation.stay();
  await simulation.run({ days: DAY });
  for (let minute = 0; minute < 40; minute++) {
    await simulation.pass(MINUTE_MS);
    await simulation.heal('all');
  }
  expect(simulation.slackTitles().map((title) => title.split(']')[0])).toEqual(['[WARNING', '[ERROR']);
  expect(simulation.mails()).toHaveLength(1);
  expect(simulation.pages()).toEqual([]);
});

test('a 401 pages once, for any number of symbols and runs, and ends with the first successful run', async () => {
  const simulation = await simulated('unauthorized', 20);
  simulation.venue.plan(until(Number.MAX_SAFE_INTEGER, { kind: 'status', status: 401 }));
  const first = await simulation.run({ days: DAY });
  expect(first.ending).toBe('refused');
  await simulation.drain();
  await simulation.run({ days: DAY });
  await simulation.drain();
  expect(simulation.pages()).toEqual([expect.stringMatching(/^trigger \[CRITICAL\] UNAUTHORIZED at binance/)]);
  expect(simulation.slackTitles()).toHaveLength(1);
  await simulation.pipeline.ports.store.transact(liftHalts, simulation.clock.nowMs());
  simulation.venue.plan(HEALTHY);
  expect(await simulation.run({ days: DAY })).toMatchObject({ ending: 'done' });
  await simulation.pass(HOUR_MS);
  await simulation.drain();
  expect(simulation.pagerduty.open().size).toBe(0);
  expect(simulation.slackTitles().at(-1)).toMatch(/^\[RESOLVED\]/);
});

test('after a kill between commit and send, the next process sends the alert once', async () => {
  const simulation = await simulated('killed');
  simulation.venue.plan(until(Number.MAX_SAFE_INTEGER, { kind: 'status', status: 403, body: 'html' }));
  expect((await simulation.run({ days: DAY })).ending).toBe('refused');
  expect(simulation.slackTitles()).toEqual([]);
  await simulation.drain();
  await simulation.drain();
  expect(simulation.slackTitles()).toEqual([expect.stringMatching(/^\[ERROR\] FORBIDDEN at binance/)]);
  expect(simulation.mails()).toHaveLength(1);
  expect(await simulation.pipeline.ports.store.read(outboxState)).toMatchObject({ pending: 0 });
});

test('ten failures and recoveries within an hour are at most four messages', async () => {
  const simulation = await simulated('flapping');
  simulation.stay();
  for (let cycle = 0; cycle < 10; cycle++) {
    simulation.venue.plan(until(Number.MAX_SAFE_INTEGER, { kind: 'status', status: 403, body: 'html' }));
    await simulation.run({ days: DAY, selection: 'all' });
    await simulation.pass(3 * MINUTE_MS);
    simulation.venue.plan(HEALTHY);
    await simulation.run({ days: DAY, selection: 'all' });
    await simulation.pass(3 * MINUTE_MS);
  }
  await simulation.pass(3 * HOUR_MS);
  expect(simulation.slackTitles().length).toBeLessThanOrEqual(4);
  expect(simulation.slackTitles().at(-1)).toMatch(/RESOLVED/);
});

test('later processes continue the counts of runs', async () => {
  const simulation = await simulated('counted');
  await simulation.run({ days: DAY });
  const { samples, histograms } = await simulation.pipeline.ports.store.read(storedSamples);
  const valueOf = (labels: Record<string, string>): number | undefined =>
    samples.find(
      (one) =>
        one.name === 'pipeline_runs_total' &&
        Object.entries(labels).every(([label, value]) => one.labels[label] === value),
    )?.value;
  expect(valueOf({ asset: 'bronze_binance_ohlcv', outcome: 'complete', trigger: 'manual' })).toBe(1);
  expect(valueOf({ asset: 'bronze_binance_ohlcv', outcome: 'failed', trigger: 'schedule' })).toBe(0);
  expect(samples.find(({ name }) => name === 'pipeline_rows_total')?.value).toBe(4 * 24);
  expect(histograms[0]?.buckets.reduce((sum, count) => sum + count, 0)).toBe(1);
});

test('runs and alerts carry the tags of the configuration', async () => {
  const symbols = symbolsOf(2);
  const simulation = await simulateWithAlerts({
    seed: 'tags',
    symbols,
    interval: '1h',
    world: worldOf(symbols),
    settings: { tags: { team: 'data', criticality: 'high' } },
  });
  simulation.venue.plan(until(Number.MAX_SAFE_INTEGER, { kind: 'status', status: 403, body: 'html' }));
  expect((await simulation.run({ days: DAY })).runs[0]?.tags).toEqual({ team: 'data', criticality: 'high' });
  await simulation.drain();
  expect(JSON.stringify(simulation.slack.received[0])).toContain('criticality=high team=data');
});

test('a run whose process died is a warning with the time of its retry, and ends with the retry', async () => {
  const simulation = await simulated('crashed');
  const { store, clock } = simulation.pipeline.ports;
  const request: RunRequest = {
    markets: [['binance', symbolsOf(4)]],
    selection: 'missing',
    waitPolicy: 'holes',
    assets: ['bronze', 'silver'],
  };
  await store.transact(function* crashing() {
    yield* createRun(
      {
        id: 'run_lost',
        interval: '1h',
        partition: DAY.start,
        partitionEnd: DAY.end,
        trigger: 'backfill',
        tags: {},
        request,
      },
      clock.nowMs(),
    );
    yield* beginRun('run_lost', 'here:7', clock.nowMs());
  });
  simulation.stay();
  await simulation.heal('all');
  await simulation.pass(30_000);
  expect(simulation.slackTitles()).toEqual([expect.stringMatching(/^\[WARNING\] RUN_CRASHED: run_lost/)]);
  expect(JSON.stringify(simulation.slack.received[0])).toContain('healing 1/3, next at');
  await simulation.pass(MINUTE_MS);
  expect(await simulation.heal('all')).toMatchObject({
    runs: [{ trigger: 'retry', outcome: 'complete', tags: { retry_of: 'run_lost' } }],
  });
  await simulation.pass(HOUR_MS);
  expect(simulation.slackTitles()).toHaveLength(2);
  expect(simulation.slackTitles()[1]).toMatch(/^\[RESOLVED\] RUN_CRASHED/);
  expect(simulation.pages()).toEqual([]);
});

test('an unexplained hole is a warning after a second response with it, and ends once it is filled', async () => {
  const simulation = await simulated('hole', 2);
  const { fromMs } = dayRange(DAY.start);
  simulation.venue.plan({
    seed: 'hole',
    rules: [
      {
        match: { path: '/api/v3/klines', symbol: 'C000USDT' },
        on: { every: 1 },
        fault: { kind: 'missing-rows', fromMs: fromMs + 5 * HOUR_MS, toMs: fromMs + 7 * HOUR_MS },
      },
    ],
  });
  simulation.stay();
  expect(await simulation.run({ days: DAY })).toMatchObject({ pending: 2 });
  await simulation.pass(5 * HOUR_MS);
  await simulation.run({ days: DAY });
  expect(await firing(simulation)).toEqual([]);
  await simulation.pass(HOUR_MS + MINUTE_MS);
  await simulation.heal('all');
  await simulation.pass(MINUTE_MS);
  expect(simulation.slackTitles()).toEqual([
    expect.stringMatching(/^\[WARNING\] ROWS_MISSING at binance: 1 day of 1 symbol/),
  ]);
  simulation.venue.plan(HEALTHY);
  await simulation.pass(24 * HOUR_MS);
  expect(await simulation.heal('all')).toMatchObject({ pending: 0 });
  await simulation.pass(HOUR_MS);
  expect(simulation.slackTitles().at(-1)).toMatch(/^\[RESOLVED\] ROWS_MISSING at binance/);
});

test('each failed attempt is one log event with all its facts, from run to attempt', async () => {
  const { log, run, venue } = await simulateWithAlerts({ seed: 'event', symbols: ['BTC/USDT'], interval: '1h' });
  venue.plan({
    seed: 'event',
    rules: [
      {
        match: { path: '/api/v3/klines' },
        on: { nth: [1] },
        fault: { kind: 'status', status: 429, retryAfter: '2', venueCode: -1003 },
      },
    ],
  });
  const {
    runs: [made],
  } = await run({ days: { start: '2024-06-01', end: '2024-06-01' } });
  expect(log.lines.filter(({ fields }) => fields['event'] === 'fault')).toEqual([
    {
      level: 'warn',
      message: 'binance answered 429 code -1003; try 1 of 5, next in 2000 ms',
      fields: {
        event: 'fault',
        run: made?.id,
        asset: 'bronze_binance_ohlcv',
        exchange: 'binance',
        symbol: 'BTC/USDT',
        interval: '1h',
        from: '2024-06-01T00:00:00.000Z',
        to: expect.stringMatching(/^2024-06-02T/) as string,
        code: 'EXCHANGE_RATE_LIMITED',
        kind: 'transient',
        status: 429,
        venueCode: '-1003',
        retryAfterMs: 2_000,
        origin: 'http://binance.test',
        request: 1,
        durationMs: 0,
        try: 1,
        triesMax: 5,
        decision: 'retry',
        waitMs: 2_000,
        nextAttemptAt: expect.stringMatching(/^2026-.*Z$/) as string,
      },
    },
  ]);
});
