import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { failNth } from '../../support/virtual/failing-ports.ts';
import { diskError } from '../../../src/platform/disk-error.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import { manifestOf } from '../../../src/lake/manifest.ts';
import { readCandles } from '../../../src/engine/queries/candle-reader.ts';
import { runDaemon } from '../../../src/engine/daemon/daemon.ts';
import { materialise } from '../../../src/engine/runs/materialise.ts';
import { CancelledError } from '../../../src/errors/classify.ts';
import type { StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { daemonWork, simulate, type Simulation } from '../../support/simulated.ts';

const HOUR_MS = 3_600_000;
const DAY = '2024-06-15';
const FROM_MS = dayRange(DAY).fromMs;
const DAYS = { start: DAY, end: DAY };
const LATE_MS = FROM_MS + 9 * HOUR_MS;
const series = { exchange: 'binance', symbol: 'BTC/USDT', interval: '1h' } as const;

/** The venue states one candle's number of trades wrongly until it settles at `settledAtMs`. */
const settlingAt =
  (settledAtMs: number) =>
  (handle: StandInHandler): StandInHandler =>
  async (request, nowMs) => {
    const reply = await handle(request, nowMs);
    if (nowMs >= settledAtMs || reply.kind !== 'answer' || !request.path.endsWith('klines')) return reply;
    const rows = JSON.parse(Buffer.from(reply.body).toString()) as unknown[][];
    return {
      ...reply,
      body: Buffer.from(JSON.stringify(rows.map((row) => (row[0] === LATE_MS ? row.with(8, 1) : row)))),
    };
  };

const at = (seed: string, { startMs, settledAtMs }: { startMs: number; settledAtMs: number }): Promise<Simulation> =>
  simulate({ seed, symbols: [series.symbol], interval: '1h', startMs, wire: settlingAt(settledAtMs) });

interface Correction {
  readonly timestamp: string;
  readonly cause: string;
  readonly revision: number;
  readonly old: { readonly trades: number; readonly raw: string };
  readonly new: { readonly trades: number; readonly raw: string };
  readonly old_rows_sha256: string;
  readonly new_rows_sha256: string;
}

function corrections({ dataDir }: Simulation): Correction[] {
  const path = join(dataDir, 'corrections.ndjson');
  return existsSync(path)
    ? readFileSync(path, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Correction)
    : [];
}

const tradesOf = async ({ pipeline, clock }: Simulation): Promise<number | null | undefined> =>
  (await clock.runUntil(readCandles(pipeline, { series, range: dayRange(DAY) }))).find(
    ({ openTimeMs }) => openTimeMs === LATE_MS,
  )?.trades;

test('the newest candle is fetched again with the next ones, and a change is a revision with one line', async () => {
  const simulation = await at('settles', {
    startMs: FROM_MS + 10 * HOUR_MS + 6_000,
    settledAtMs: FROM_MS + 10.5 * HOUR_MS,
  });
  await simulation.run({ days: DAYS });
  expect([await tradesOf(simulation), corrections(simulation)]).toEqual([1, []]);
  const requestsBefore = simulation.candleRequests();
  await simulation.clock.runUntil(simulation.clock.sleep(HOUR_MS));
  await simulation.run({ days: DAYS });
  expect(simulation.candleRequests() - requestsBefore).toBe(1);
  expect(await tradesOf(simulation)).toBeGreaterThan(1);
  const [line, ...others] = corrections(simulation);
  expect(others).toEqual([]);
  expect(line).toMatchObject({
    timestamp: new Date(LATE_MS).toISOString(),
    cause: 'manual',
    revision: 2,
    old: { trades: 1, raw: expect.stringMatching(/^page_\w+#9$/) as string },
    new: { trades: await tradesOf(simulation) },
  });
  expect(line?.old.raw).not.toBe(line?.new.raw);
  const [entry] = await simulation.pipeline.ports.store.read(manifestOf, 'binance', '1h');
  expect(line?.new_rows_sha256).toBe(entry?.rowsSha256);
  expect(line?.old_rows_sha256).not.toBe(entry?.rowsSha256);

  await simulation.clock.runUntil(simulation.clock.sleep(HOUR_MS));
  await simulation.run({ days: DAYS });
  await simulation.run({ days: DAYS, selection: 'all' });
  expect(corrections(simulation)).toHaveLength(1);
});

const full = (): Error => diskError('ENOSPC', 'write', '/data');

test.each([
  ['files.append', 'before'],
  ['files.append', 'after'],
  ['files.fsync', 'before'],
  ['store.transact', 'before'],
  ['store.transact', 'after'],
  ['files.rename', 'after'],
] as const)('whichever call of %s fails (%s its effect), a correction is recorded once', async (kind, when) => {
  for (let n = 1, calls = Infinity; n <= calls; n++) {
    const simulation = await at(`once ${kind} ${n}`, {
      startMs: FROM_MS + 2 * DAY_MS,
      settledAtMs: FROM_MS + 2 * DAY_MS + 60_000,
    });
    await simulation.run({ days: DAYS });
    await simulation.clock.runUntil(simulation.clock.sleep(60_000));
    const { pipeline, clock } = simulation;
    const failing = failNth(pipeline.ports, { kind, when, n, error: full() });
    const again = {
      days: DAYS,
      markets: pipeline.settings.markets,
      intervals: ['1h'],
      selection: 'all',
      waitPolicy: 'none',
      assets: ['bronze', 'silver'],
      trigger: 'manual',
      tags: {},
    } as const;
    await clock.runUntil(
      materialise({ ...pipeline, ports: failing.ports }, again, {
        signal: new AbortController().signal,
        onProgress: () => undefined,
      }).catch((error: unknown) => expect(error).toMatchObject({ code: 'ENOSPC' })),
    );
    calls = failing.calls();
    await clock.runUntil(clock.sleep(60_000));
    await simulation.run({ days: DAYS, selection: 'all' });
    expect(
      corrections(simulation).map(({ timestamp, old, new: revised }) => [timestamp, old.trades, revised.trades]),
      `${kind} ${n}`,
    ).toEqual([[new Date(LATE_MS).toISOString(), 1, await tradesOf(simulation)]]);
  }
});

test('a torn journal line is completed, and text that another program appended stays', async () => {
  const simulation = await at('torn', { startMs: FROM_MS + 2 * DAY_MS, settledAtMs: FROM_MS + 2 * DAY_MS + 60_000 });
  await simulation.run({ days: DAYS });
  await simulation.clock.runUntil(simulation.clock.sleep(60_000));
  await simulation.run({ days: DAYS, selection: 'all' });
  const path = join(simulation.dataDir, 'corrections.ndjson');
  const whole = readFileSync(path, 'utf8');
  const { store } = simulation.pipeline.ports;
  for (const left of ['', whole.slice(0, 1), whole.slice(0, 100), whole]) {
    writeFileSync(path, left);
    await store.transact(function* unconfirm() {
      yield { sql: 'update journal set byte_end = null', values: [] };
    });
    await simulation.run({ days: DAYS, selection: 'all' });
    expect(readFileSync(path, 'utf8')).toBe(whole);
  }
  writeFileSync(path, 'a note without end');
  await store.transact(function* unconfirm() {
    yield { sql: 'update journal set byte_end = null', values: [] };
  });
  await simulation.run({ days: DAYS, selection: 'all' });
  expect(readFileSync(path, 'utf8')).toBe(`a note without end\n${whole}`);
});

test('one day after a day has closed, the daemon fetches a sample of it again and finds revised candles', async () => {
  const simulation = await at('verify', { startMs: FROM_MS + 1.5 * DAY_MS, settledAtMs: FROM_MS + 1.9 * DAY_MS });
  const { pipeline, clock } = simulation;
  const stop = new AbortController();
  const running = runDaemon(pipeline, daemonWork(pipeline), { signal: stop.signal, onProgress: () => undefined });
  await clock.runUntil(clock.sleep(60_000));
  expect(await tradesOf(simulation)).toBe(1);
  await clock.runUntil(clock.sleep(DAY_MS));
  stop.abort(new CancelledError('SIGTERM'));
  await clock.runUntil(running);
  expect(await tradesOf(simulation)).toBeGreaterThan(1);
  expect(corrections(simulation)).toMatchObject([{ cause: 'verify', old: { trades: 1 } }]);
});
