// npm run bench -- B1 [--full] [--symbols 10] [--days 62] [--seed x] [--window minute] [--rtt 40] [--share 1] [--only candlekeep,reference] [--json FILE] [--keep]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BENCHES, FULL, type Bench } from './benches.ts';
import { DAYS_MAX, rangeOf, SYMBOLS_MAX, symbolsOf, type Course } from './course.ts';
import { measure, type Measurement } from './measurement.ts';
import { summaryOf, tableOf } from './table.ts';

const OPTIONS = {
  full: { type: 'boolean', default: false },
  symbols: { type: 'string' },
  days: { type: 'string' },
  seed: { type: 'string', default: 'candlekeep' },
  window: { type: 'string', default: '10s' },
  rtt: { type: 'string', default: '0' },
  share: { type: 'string', default: '1' },
  only: { type: 'string' },
  json: { type: 'string' },
  keep: { type: 'boolean', default: false },
} as const;

/** Binance's 6,000 a minute; and a sixth of it in a sixth of the time, so that a short run sees several windows. */
const WINDOWS = { '10s': { weight: 1_000, windowMs: 10_000 }, minute: { weight: 6_000, windowMs: 60_000 } } as const;
const AT_ONCE = 16;
const WALL_MS_MAX = 15 * 60_000;

const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });

const bench = BENCHES.find(({ name }) => name === positionals[0]);
if (bench === undefined || positionals.length > 1) refuse(`name one of ${BENCHES.map(({ name }) => name).join(', ')}`);
const extent = values.full ? FULL : bench.daily;
const course: Course = {
  seed: values.seed,
  symbols: symbolsOf(wholeNumber('symbols', values.symbols ?? String(extent.symbols), SYMBOLS_MAX)),
  range: rangeOf(wholeNumber('days', values.days ?? String(extent.days), DAYS_MAX)),
  limit: values.window === '10s' || values.window === 'minute' ? WINDOWS[values.window] : refuse('--window is 10s or minute'),
  weather: bench.weather,
  rttMs: Number(values.rtt),
};
const directory = mkdtempSync(join(tmpdir(), 'candlekeep-bench-'));
const measurements: Measurement[] = [];
say(`${bench.name}: ${bench.says}; ${course.symbols.length} symbols, ${values.days ?? extent.days} days of 1m candles, ${course.limit.weight} weight in ${course.limit.windowMs / 1_000} s, share ${values.share}, RTT ${course.rttMs} ms, seed ${course.seed}`);
if (values.keep) say(`data and logs stay in ${directory}`);
for (const contestant of contestantsOf(bench)) {
  const measurement = await measure(course, contestant, { directory: join(directory, contestant.name), share: Number(values.share), atOnce: AT_ONCE, wallMsMax: WALL_MS_MAX, keep: values.keep });
  measurements.push(measurement);
  say(summaryOf(measurement));
}
if (!values.keep) rmSync(directory, { recursive: true });
const machine = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform}, Node ${process.versions.node}`;
console.log(`${tableOf(measurements)}\n\n${machine}`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ bench: bench.name, course, machine, measurements }, null, 1)}\n`);

function contestantsOf({ contestants }: Bench): Bench['contestants'] {
  if (values.only === undefined) return contestants;
  return values.only.split(',').map((name) => contestants.find((one) => one.name === name) ?? refuse(`--only knows ${contestants.map((one) => one.name).join('; ')}`));
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  return Number.isInteger(number) && number >= 1 && number <= max ? number : refuse(`--${name} is a whole number from 1 to ${max}`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function refuse(text: string): never {
  say(text);
  process.exit(2);
}
