import { expect, test } from 'vitest';
import { firingAlerts } from '../../src/alerting/model/alerts.ts';
import { outboxState } from '../../src/alerting/outbox/outbox.ts';
import { beginRun, createRun } from '../../src/state/runs.ts';
import { liftStops } from '../../src/state/halts.ts';
import { storedSamples } from '../../src/metrics/values.ts';
import { dayRange } from '../../src/domain/partition.ts';
import type { FaultPlan, FaultSpec } from '../../src/simulation/fault-plan.ts';
import { generatedWorld } from '../../src/simulation/generated-world.ts';
import { rehearseTold } from '../support/notified.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY = { start: '2026-05-30', end: '2026-05-30' };

const symbolsOf = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `C${String(at).padStart(3, '0')}/USDT`);
const worldOf = (symbols: readonly string[]) =>
  generatedWorld(
    'told',
    symbols.map((symbol) => ({
      symbol,
      venueSymbol: symbol.replace('/', ''),
      interval: '1h',
      range: dayRange(DAY.start),
    })),
  );
/** Every symbol gets the same fault until `untilMs`. */
const until = (untilMs: number, fault: FaultSpec): FaultPlan => ({
  seed: 'told',
  rules: [{ match: { path: '/api/v3/klines' }, on: { fromMs: 0, toMs: untilMs }, fault }],
});
const calm: FaultPlan = { seed: 'calm', rules: [] };

const stage = (seed: string, count = 4) => {
  const symbols = symbolsOf(count);
  return rehearseTold({ seed, symbols, interval: '1h', world: worldOf(symbols) });
};
type Stage = Awaited<ReturnType<typeof stage>>;
const firing = ({ pipeline }: Stage) => pipeline.ports.store.read('firingAlerts', () => firingAlerts());

test('500 symbols failing with one cause are one trigger and one resolve', async () => {
  const told = await stage('500', 500);
  told.venue.plan(until(told.clock.nowMs() + 4 * MINUTE_MS, { kind: 'status', status: 404, body: 'json' }));
  told.stay();
  await told.run({ days: DAY });
  await told.pass(2 * MINUTE_MS);
  expect(told.slackTitles()).toHaveLength(1);
  told.venue.plan(calm);
  await told.pass(10 * MINUTE_MS);
  expect(await told.heal('none')).toMatchObject({ pending: 0 });
  await told.pass(HOUR_MS);
  expect(told.slackTitles().map((title) => title.split(' at ')[0])).toEqual([
    expect.stringMatching(/^\[(ERROR|WARNING)\]/),
    expect.stringMatching(/^\[RESOLVED\]/),
  ]);
  expect(told.pages()).toEqual([]);
});

test('a failure that heals inside its own run is told to nobody', async () => {
  const told = await stage('inside');
  told.venue.plan({
    seed: 'inside',
    rules: [{ match: { path: '/api/v3/klines' }, on: { nth: [1, 3] }, fault: { kind: 'status', status: 502 } }],
  });
  told.stay();
  expect(await told.run({ days: DAY })).toMatchObject({ exit: 0 });
  await told.pass(HOUR_MS);
  expect([told.slackTitles(), told.pages(), told.mails(), await firing(told)]).toEqual([[], [], [], []]);
});

test('a run that fails and heals on its first retry is one warning line and its resolve: no page, no e-mail', async () => {
  const told = await stage('first retry');
  told.venue.plan(until(told.clock.nowMs() + 70_000, { kind: 'status', status: 503 }));
  told.stay();
  expect((await told.run({ days: DAY })).runs[0]).toMatchObject({ outcome: 'failed' });
  await told.pass(2 * MINUTE_MS);
  expect(JSON.stringify(told.slack.received[0])).toContain('healing 1/3, next at');
  expect(await told.heal('all')).toMatchObject({ runs: [{ trigger: 'retry', outcome: 'complete' }] });
  await told.pass(HOUR_MS);
  expect(told.slackTitles()).toEqual([
    expect.stringMatching(/^\[WARNING\] \w+ at binance: 2026-05-30: 4 of 4 symbols failed/),
    expect.stringMatching(/^\[RESOLVED\] \w+ at binance: over after .*, healed by run_/),
  ]);
  expect([told.pages(), told.mails()]).toEqual([[], []]);
});

test("what goes on failing gets its hook's level once the retries are used up, and says so once", async () => {
  const told = await stage('used up');
  told.venue.plan(until(told.clock.nowMs() + 3 * HOUR_MS, { kind: 'status', status: 500 }));
  told.stay();
  await told.run({ days: DAY });
  for (let turn = 0; turn < 40; turn++) {
    await told.pass(MINUTE_MS);
    await told.heal('all');
  }
  expect(told.slackTitles().map((title) => title.split(']')[0])).toEqual(['[WARNING', '[ERROR']);
  expect(told.mails()).toHaveLength(1);
  expect(told.pages()).toEqual([]);
});

test('a 401 pages once, at once, however many symbols and runs meet it; it is over with the first run that gets through', async () => {
  const told = await stage('unauthorized', 20);
  told.venue.plan(until(Number.MAX_SAFE_INTEGER, { kind: 'status', status: 401 }));
  const first = await told.run({ days: DAY });
  expect(first.ending).toBe('refused');
  await told.drain();
  await told.run({ days: DAY });
  await told.drain();
  expect(told.pages()).toEqual([expect.stringMatching(/^trigger \[CRITICAL\] UNAUTHORIZED at binance/)]);
  expect(told.slackTitles()).toHaveLength(1);
  await told.pipeline.ports.store.transact('liftStops', () => liftStops(told.clock.nowMs()));
  told.venue.plan(calm);
  expect(await told.run({ days: DAY })).toMatchObject({ exit: 0 });
  await told.pass(HOUR_MS);
  await told.drain();
  expect(told.pagerduty.open().size).toBe(0);
  expect(told.slackTitles().at(-1)).toMatch(/^\[RESOLVED\]/);
});

test('killed after a run was committed and before anything was sent: the next process tells it, once', async () => {
  const told = await stage('killed');
  told.venue.plan(until(Number.MAX_SAFE_INTEGER, { kind: 'status', status: 403, body: 'html' }));
  expect((await told.run({ days: DAY })).ending).toBe('refused');
  expect(told.slackTitles()).toEqual([]);
  await told.drain();
  await told.drain();
  expect(told.slackTitles()).toEqual([expect.stringMatching(/^\[ERROR\] FORBIDDEN at binance/)]);
  expect(told.mails()).toHaveLength(1);
  expect(await told.pipeline.ports.store.read('outboxState', () => outboxState())).toMatchObject({ pending: 0 });
});

test('ten failures and recoveries within an hour are at most four messages', async () => {
  const told = await stage('flapping');
  told.stay();
  for (let cycle = 0; cycle < 10; cycle++) {
    told.venue.plan(until(Number.MAX_SAFE_INTEGER, { kind: 'status', status: 403, body: 'html' }));
    await told.run({ days: DAY, selection: 'all' });
    await told.pass(3 * MINUTE_MS);
    told.venue.plan(calm);
    await told.run({ days: DAY, selection: 'all' });
    await told.pass(3 * MINUTE_MS);
  }
  await told.pass(3 * HOUR_MS);
  expect(told.slackTitles().length).toBeLessThanOrEqual(4);
  expect(told.slackTitles().at(-1)).toMatch(/RESOLVED/);
});

test('runs count for every process that comes after', async () => {
  const told = await stage('counted');
  await told.run({ days: DAY });
  const { samples, histograms } = await told.pipeline.ports.store.read('storedSamples', () => storedSamples());
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

test('tags of the configuration stand on runs and alerts', async () => {
  const symbols = symbolsOf(2);
  const told = await rehearseTold({
    seed: 'tags',
    symbols,
    interval: '1h',
    world: worldOf(symbols),
    settings: { tags: { team: 'data', criticality: 'high' } },
  });
  told.venue.plan(until(Number.MAX_SAFE_INTEGER, { kind: 'status', status: 403, body: 'html' }));
  expect((await told.run({ days: DAY })).runs[0]?.tags).toEqual({ team: 'data', criticality: 'high' });
  await told.drain();
  expect(JSON.stringify(told.slack.received[0])).toContain('criticality=high team=data');
});

test('a run whose process died is a warning that says when it is run again, and over once it was', async () => {
  const told = await stage('crashed');
  const { store, clock } = told.pipeline.ports;
  const request = JSON.stringify({
    markets: [['binance', symbolsOf(4)]],
    selection: 'missing',
    keptWaits: 'holes',
    assets: ['bronze', 'silver'],
  });
  await store.transact('crashing', function* () {
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
  told.stay();
  await told.heal('all');
  await told.pass(30_000);
  expect(told.slackTitles()).toEqual([expect.stringMatching(/^\[WARNING\] RUN_CRASHED: run_lost/)]);
  expect(JSON.stringify(told.slack.received[0])).toContain('healing 1/3, next at');
  await told.pass(MINUTE_MS);
  expect(await told.heal('all')).toMatchObject({
    runs: [{ trigger: 'retry', outcome: 'complete', tags: { retry_of: 'run_lost' } }],
  });
  await told.pass(HOUR_MS);
  expect(told.slackTitles()).toHaveLength(2);
  expect(told.slackTitles()[1]).toMatch(/^\[RESOLVED\] RUN_CRASHED/);
  expect(told.pages()).toEqual([]);
});

test('a hole that nothing explains is a warning once its venue answered with it twice, and over once it is filled', async () => {
  const told = await stage('hole', 2);
  const { fromMs } = dayRange(DAY.start);
  told.venue.plan({
    seed: 'hole',
    rules: [
      {
        match: { path: '/api/v3/klines', symbol: 'C000USDT' },
        on: { every: 1 },
        fault: { kind: 'missing-rows', fromMs: fromMs + 5 * HOUR_MS, toMs: fromMs + 7 * HOUR_MS },
      },
    ],
  });
  told.stay();
  expect(await told.run({ days: DAY })).toMatchObject({ pending: 2 });
  await told.pass(5 * HOUR_MS);
  await told.run({ days: DAY });
  expect(await firing(told)).toEqual([]);
  await told.pass(HOUR_MS + MINUTE_MS);
  await told.heal('all');
  await told.pass(MINUTE_MS);
  expect(told.slackTitles()).toEqual([
    expect.stringMatching(/^\[WARNING\] ROWS_MISSING at binance: 1 day of 1 symbol/),
  ]);
  told.venue.plan(calm);
  await told.pass(24 * HOUR_MS);
  expect(await told.heal('all')).toMatchObject({ pending: 0 });
  await told.pass(HOUR_MS);
  expect(told.slackTitles().at(-1)).toMatch(/^\[RESOLVED\] ROWS_MISSING at binance/);
});

test('each failed attempt is one event of the log that says all that is known of it, from run to attempt', async () => {
  const { log, run, venue } = await rehearseTold({ seed: 'event', symbols: ['BTC/USDT'], interval: '1h' });
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
