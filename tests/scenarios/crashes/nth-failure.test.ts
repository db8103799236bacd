import { expect, test } from 'vitest';
import { diskError } from '../../../src/platform/disk-error.ts';
import { failNth, type CallKind } from '../../support/virtual/failing-ports.ts';
import { dayRange } from '../../../src/domain/partition.ts';
import { readCandles } from '../../../src/engine/queries/candle-reader.ts';
import { materialise } from '../../../src/engine/runs/materialise.ts';
import type { WorkRequest } from '../../../src/engine/core/work.ts';
import { compareWithTruth } from '../../../src/simulation/truth.ts';
import { startLifetime, expectSameOutcome, runLifetime, settle, undisturbed } from '../../support/virtual/lifetime.ts';
import { onPorts, simulate, BINANCE_RECORDINGS, verifiedAccount } from '../../support/simulated.ts';

const DAYS = { start: '2024-06-01', end: '2024-06-03' };
const RANGE = { fromMs: dayRange(DAYS.start).fromMs, toMs: dayRange(DAYS.end).toMs };
const SYMBOLS = ['BTC/USDT', 'ETH/USDT'];
const CALLS_MAX = 60;
const full = (): Error => diskError('ENOSPC', 'write', '/data');
const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

const KINDS: readonly (readonly [CallKind, 'before' | 'after', () => Error])[] = [
  ['http.get', 'before', reset],
  ['http.get', 'after', reset],
  ['files.append', 'before', full],
  ['files.append', 'after', full],
  ['files.fsync', 'before', full],
  ['files.write', 'before', full],
  ['files.rename', 'before', full],
  ['files.rename', 'after', full],
  ['files.fsyncDirectory', 'before', full],
  ['store.transact', 'before', full],
  ['store.transact', 'after', full],
  ['limits.transact', 'before', full],
  ['limits.transact', 'after', full],
  ['limits.read', 'before', full],
  ['parquet.encode', 'before', full],
];

test.each(KINDS)(
  'after any call of %s fails (%s it takes effect), the next run stores every candle once and the account verifies',
  { timeout: 120_000 },
  async (kind, when, error) => {
    let n = 0;
    for (let calls = Infinity; calls >= n && n < CALLS_MAX; ) {
      n += 1;
      calls = await runWithFailure({ kind, when, n, error: error() });
    }
    expect(n, 'every call was made to fail once').toBeLessThan(CALLS_MAX);
    expect(n, 'at least one call was made to fail').toBeGreaterThan(1);
  },
);

async function runWithFailure(failure: {
  kind: CallKind;
  when: 'before' | 'after';
  n: number;
  error: Error;
}): Promise<number> {
  const simulation = await simulate({ seed: `${failure.kind} ${failure.n}`, symbols: SYMBOLS, interval: '1h' });
  const { pipeline, clock } = simulation;
  const failing = failNth(pipeline.ports, failure);
  const work: WorkRequest = {
    days: DAYS,
    markets: pipeline.settings.markets,
    intervals: ['1h'],
    selection: 'missing',
    waitPolicy: 'none',
    assets: ['bronze', 'silver'],
    trigger: 'manual',
    tags: {},
  };
  const control = { signal: new AbortController().signal, onProgress: () => undefined };
  const broken = onPorts(pipeline, failing.ports);
  await clock.runUntil(materialise(broken, work, control).catch((error: unknown) => expect(error).toBe(failure.error)));

  await clock.runUntil(clock.sleep(60_000)); // beyond the lease of a run that could not write its end
  expect(await clock.runUntil(materialise(pipeline, work, control))).toMatchObject({ ending: 'done', pending: 0 });
  for (const recorded of BINANCE_RECORDINGS.series.filter(
    (series) => series.interval === '1h' && SYMBOLS.includes(series.symbol),
  )) {
    const stored = await clock.runUntil(
      readCandles(pipeline, { series: { exchange: 'binance', symbol: recorded.symbol, interval: '1h' }, range: RANGE }),
    );
    const rows = recorded.rows.filter((row) => row[0] >= RANGE.fromMs && row[0] < RANGE.toMs);
    expect(compareWithTruth(stored, rows, recorded.columns)).toEqual({
      recorded: 72,
      lost: 0,
      doubled: 0,
      invented: 0,
      wrong: 0,
    });
  }
  const report = await verifiedAccount({ clock, pipeline }, DAYS);
  expect(report).toMatchObject({ gaps: [], discrepancies: [] });
  return failing.calls();
}

/** Failures of each kind in a whole lifetime. The test above makes every call of a plain run fail. */
const POINTS = 2;

test.each(KINDS)(
  'a lifetime of runs, decisions and healing ends the same after a call of %s fails (%s it takes effect)',
  { timeout: 120_000 },
  async (kind, when, error) => {
    const wanted = await undisturbed();
    const counted = await startLifetime('counted');
    const failing = failNth(counted.pipeline.ports, { kind, when, n: Infinity, error: error() });
    await runLifetime(counted, failing.ports, (step) => counted.clock.runUntil(step));
    const calls = failing.calls();
    expect(calls).toBeGreaterThan(POINTS);
    for (let point = 1; point <= POINTS; point++) {
      const n = Math.ceil((calls * point) / (POINTS + 1));
      const simulation = await startLifetime(`life ${kind} ${n}`);
      const failure = { kind, when, n, error: error() };
      await runLifetime(simulation, failNth(simulation.pipeline.ports, failure).ports, (step) =>
        simulation.clock.runUntil(step.catch((thrown: unknown) => expect(thrown).toBe(failure.error))),
      );
      // Beyond the lease of a run that could not write its end.
      await simulation.clock.runUntil(simulation.clock.sleep(60_000));
      await settle(simulation);
      await expectSameOutcome(simulation, wanted, `${kind} ${when} ${n}`);
    }
  },
);
