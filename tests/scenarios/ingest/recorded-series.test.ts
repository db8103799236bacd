import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/domain/exchange.ts';
import { DAY_MS } from '../../../src/domain/interval.ts';
import { dayOf, dayRange, type Day } from '../../../src/domain/partition.ts';
import { EXCHANGES } from '../../../src/exchanges/registry.ts';
import { faultsOfRun, type FaultEntry } from '../../../src/state/fault-log.ts';
import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { everyHealingFault } from '../../support/healing-faults.ts';
import type { RequestEntry } from '../../../src/simulation/stand-ins/stand-in-exchange.ts';
import { worldOf } from '../../../src/simulation/world.ts';
import type { RecordedSeries } from '../../../src/simulation/recorded-series.ts';
import { ownRecordings, RECORDINGS } from '../../support/recordings.ts';
import { simulateExchanges, START_MS, verifiedAccount, type Simulation } from '../../support/simulated.ts';

interface Recording {
  readonly exchange: Exchange;
  readonly series: RecordedSeries;
}

const own = ownRecordings(process.env['CANDLEKEEP_RECORDINGS']);
const everything: readonly Recording[] = [...RECORDINGS, ...own.worlds].flatMap(([exchange, world]) =>
  world.series.map((series) => ({ exchange, series })),
);
/** Some venues do not offer some intervals, so there is no recording of them. */
const isServed = ({ exchange, series }: Recording): boolean =>
  EXCHANGES.get(exchange)?.intervals.includes(series.interval) ?? false;
const recordings = everything.filter(isServed);
const nameOf = ({ exchange, series }: Recording): string =>
  `${exchange} ${series.venueSymbol} ${series.interval}, ${series.rows.length} recorded rows`;

if (own.worlds.length > 0) {
  const passedOver = [...own.skipped, ...everything.filter((one) => !isServed(one)).map(nameOf)];
  console.info(
    [
      `${recordings.length} series:`,
      ...recordings.map(nameOf),
      `passed over, no stand-in can serve them: ${passedOver.length}`,
      ...passedOver,
    ].join('\n  '),
  );
}

interface Days {
  readonly start: Day;
  readonly end: Day;
}

/** A recording with weeks between its parts is requested part by part. */
function partsOf({ rows }: RecordedSeries): Days[] {
  const parts: { startMs: number; endMs: number }[] = [];
  for (const [timeMs] of rows) {
    const last = parts.at(-1);
    if (last && timeMs - last.endMs < 7 * DAY_MS) last.endMs = timeMs;
    else parts.push({ startMs: timeMs, endMs: timeMs });
  }
  return parts.map(({ startMs, endMs }) => ({ start: dayOf(startMs), end: dayOf(endMs) }));
}

const simulationOf = ({ exchange, series }: Recording, seed: string, plan?: FaultPlan): Promise<Simulation> =>
  simulateExchanges({
    seed,
    interval: series.interval,
    startMs: Math.max(START_MS, (series.rows.at(-1)?.[0] ?? 0) + 2 * DAY_MS),
    venues: { [exchange]: { symbols: [series.symbol], world: worldOf([series]), ...(plan ? { plan } : {}) } },
  });

async function expectNothingWrong(simulation: Simulation, { exchange, series }: Recording): Promise<void> {
  for (const days of partsOf(series))
    expect(await simulation.compare(exchange, series, days), `${days.start}..${days.end}`).toMatchObject({
      lost: 0,
      doubled: 0,
      invented: 0,
      wrong: 0,
    });
}

/** Every file of the lake with its hash and modification time. */
function fingerprint(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /^(?:bronze|silver|quarantine)\//.test(name) && statSync(join(directory, name)).isFile())
    .toSorted()
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(directory, name)))
          .digest('hex')} ${statSync(join(directory, name)).mtimeMs}`,
    );
}

const CASES = recordings.map((recording) => [nameOf(recording), recording] as const);

test.each(CASES)(
  '%s arrive in silver; a second run requests and changes nothing',
  { timeout: 60_000 },
  async (_name, recording) => {
    const simulation = await simulationOf(recording, 'recorded');
    for (const days of partsOf(recording.series)) await simulation.run({ days });
    await expectNothingWrong(simulation, recording);

    const [requestsBefore, before] = [simulation.venue.log.length, fingerprint(simulation.dataDir)];
    expect(before.length).toBeGreaterThan(0);
    for (const days of partsOf(recording.series)) await simulation.run({ days });
    expect(simulation.venue.log.length).toBe(requestsBefore);
    expect(fingerprint(simulation.dataDir)).toEqual(before);
  },
);

test.each(CASES)(
  '%s also arrive from a venue with every healing fault',
  { timeout: 60_000 },
  async (_name, recording) => {
    const plan = everyHealingFault('recorded', { interval: recording.series.interval });
    const simulation = await simulationOf(recording, 'recorded', plan);
    for (const days of partsOf(recording.series)) await simulation.run({ days });
    await untilEveryFaultStruck(simulation, async () => {
      for (const days of partsOf(recording.series)) await simulation.run({ days, selection: 'all' });
    });
    await simulation.heal('none');
    await expectNothingWrong(simulation, recording);
    expect(simulation.venue.log.filter((entry) => entry.sentWhileClosed)).toEqual([]);
  },
);

const RUNS_MAX = 30;

async function untilEveryFaultStruck({ venues }: Simulation, run: () => Promise<void>): Promise<void> {
  const isDone = (): boolean =>
    Object.values(venues).every(
      ({ log }) => log.filter((entry) => entry.fault !== null).length >= everyHealingFault('').rules.length,
    );
  for (let attempt = 0; attempt < RUNS_MAX && !isDone(); attempt++) await run();
  expect(isDone(), 'every fault was injected').toBe(true);
}

/** The week that 15m recordings of all three venues cover. */
const WEEK: Days = { start: '2024-12-30', end: '2025-01-05' };
const WEEK_RANGE = { fromMs: dayRange(WEEK.start).fromMs, toMs: dayRange(WEEK.end).toMs };
/** A request of at most an hour may search for the first candle: missing data in its response is not logged. */
const asksForTheBeginning = ({ candles }: RequestEntry): boolean =>
  candles !== null && candles.range.toMs - candles.range.fromMs <= 3_600_000;
const inWeek = (series: RecordedSeries): number =>
  series.rows.filter(([timeMs]) => timeMs >= WEEK_RANGE.fromMs && timeMs < WEEK_RANGE.toMs).length;
const week = [...RECORDINGS].flatMap(([exchange, world]) =>
  world.series
    .filter((series) => series.interval === '15m' && inWeek(series) === 672)
    .map((series) => ({ exchange, series })),
);

test.each(['a', 'b', 'c'])(
  'a week with every healing fault at three venues (seed %s) is complete; the fault log has each by its code',
  { timeout: 60_000 },
  async (seed) => {
    const venues = Object.fromEntries(
      [...Map.groupBy(week, ({ exchange }) => exchange)].map(([exchange, ofVenue]) => [
        exchange,
        {
          symbols: ofVenue.map(({ series }) => series.symbol),
          plan: everyHealingFault(`${seed} ${exchange}`, { interval: '15m', within: WEEK_RANGE }),
        },
      ]),
    );
    expect(Object.keys(venues)).toEqual(['binance', 'coinbase', 'okx']);
    const simulation = await simulateExchanges({ seed, interval: '15m', venues });
    const runs = [...(await simulation.run({ days: WEEK })).runs];
    await untilEveryFaultStruck(
      simulation,
      async () => void runs.push(...(await simulation.run({ days: WEEK, selection: 'all' })).runs),
    );
    await simulation.heal('none');

    for (const { exchange, series } of week)
      expect(await simulation.compare(exchange, series, WEEK)).toEqual({
        recorded: 672,
        lost: 0,
        doubled: 0,
        invented: 0,
        wrong: 0,
      });
    const logged: FaultEntry[] = [];
    for (const run of runs) logged.push(...(await simulation.pipeline.ports.store.read(faultsOfRun, run.id, 1_000)));
    for (const [exchange, venue] of Object.entries(simulation.venues)) {
      for (const entry of venue.log.filter((one) => one.code !== null && !asksForTheBeginning(one))) {
        expect(
          logged.filter((one) => one.exchange === exchange && one.record.code === entry.code).length,
          `${exchange}: ${entry.fault?.kind} as ${entry.code}`,
        ).toBeGreaterThan(0);
      }
      expect(venue.log.filter((entry) => entry.sentWhileClosed)).toEqual([]);
    }
    const report = await verifiedAccount(simulation, WEEK);
    expect(report).toMatchObject({
      gaps: [],
      discrepancies: [],
      totals: { expected: week.length * 672, present: week.length * 672 },
    });
  },
);
