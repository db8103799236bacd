// npm run bench -- B1 [--full] [--symbols 10] [--days 62] [--seed x] [--window minute] [--rtt 40] [--share 1]
//   [--only candlekeep,reference] [--json FILE] [--keep]
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DAY_MS } from '../src/domain/interval.ts';
import { ACCOUNTS, accountTable, measureAccount, summaryOfAccount, type AccountMeasurement } from './account-bench.ts';
import { ACCOUNT_BENCH, BENCHES, FULL, type Bench, type Extent } from './benches.ts';
import { DAYS_MAX, rangeOf, SYMBOLS_MAX, symbolsOf, type Workload } from './workload.ts';
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

/** Binance's 6,000 a minute, and a sixth of it in a sixth of the time, so that a short run spans several windows. */
const WINDOWS = { '10s': { weight: 1_000, windowMs: 10_000 }, minute: { weight: 6_000, windowMs: 60_000 } } as const;
/** Concurrent requests that the lower bound of the round trips assumes. */
const CONCURRENCY = 32;
const WALL_MS_MAX = 15 * 60_000;

const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });

const machine = [
  `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  `${Math.round(totalmem() / 2 ** 30)} GB`,
  process.platform,
  `Node ${process.versions.node}`,
].join(', ');
const [name, ...others] = positionals;
const bench = BENCHES.find((one) => one.name === name);
if (others.length > 0 || (bench === undefined && name !== ACCOUNT_BENCH.name))
  refuse(`name one of ${[...BENCHES, ACCOUNT_BENCH].map((one) => one.name).join(', ')}`);
const directory = mkdtempSync(join(tmpdir(), 'candlekeep-bench-'));
if (values.keep) say(`data and logs stay in ${directory}`);
if (bench === undefined) await runAccounts();
else await runWorkload(bench);
if (!values.keep) rmSync(directory, { recursive: true });

function extentOf({ symbols, days }: Extent): Pick<Workload, 'symbols' | 'range'> {
  return {
    symbols: symbolsOf(wholeNumber('symbols', values.symbols ?? String(symbols), SYMBOLS_MAX)),
    range: rangeOf(wholeNumber('days', values.days ?? String(days), DAYS_MAX)),
  };
}

function extentText({ symbols, range }: Pick<Workload, 'symbols' | 'range'>): string {
  return `${symbols.length} symbols, ${(range.toMs - range.fromMs) / DAY_MS} days of 1m candles`;
}

async function runWorkload(chosen: Bench): Promise<void> {
  const workload: Workload = {
    seed: values.seed,
    ...extentOf(values.full ? FULL : chosen.daily),
    limit:
      values.window === '10s' || values.window === 'minute'
        ? WINDOWS[values.window]
        : refuse('--window is 10s or minute'),
    schedule: chosen.schedule,
    rttMs: Number(values.rtt),
  };
  const measurements: Measurement[] = [];
  say(
    [
      `${chosen.name}: ${chosen.says}; ${extentText(workload)}`,
      `${workload.limit.weight} weight in ${workload.limit.windowMs / 1_000} s`,
      `share ${values.share}`,
      `RTT ${workload.rttMs} ms`,
      `seed ${workload.seed}`,
    ].join(', '),
  );
  for (const contestant of contestantsOf(chosen)) {
    const measurement = await measure(workload, contestant, {
      directory: join(directory, contestant.name),
      share: Number(values.share),
      concurrency: CONCURRENCY,
      wallMsMax: WALL_MS_MAX,
      keep: values.keep,
    });
    measurements.push(measurement);
    say(summaryOf(measurement));
  }
  report(tableOf(measurements), { bench: chosen.name, workload, machine, measurements });
}

async function runAccounts(): Promise<void> {
  const extent = { seed: values.seed, ...extentOf(FULL) };
  const measurements: AccountMeasurement[] = [];
  say(`${ACCOUNT_BENCH.name}: ${ACCOUNT_BENCH.says}; three exchanges, ${extentText(extent)}, seed ${extent.seed}`);
  for (const account of ACCOUNTS) {
    say(`${account.name}: ${account.says}`);
    const measured = await measureAccount(extent, account, join(directory, account.name));
    measurements.push(...measured);
    say(measured.map(summaryOfAccount).join('\n'));
  }
  report(accountTable(measurements), { bench: ACCOUNT_BENCH.name, extent, machine, measurements });
}

function report(text: string, document: object): void {
  console.log(`${text}\n\n${machine}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(document, null, 1)}\n`);
}

function contestantsOf({ contestants }: Bench): Bench['contestants'] {
  if (values.only === undefined) return contestants;
  return values.only
    .split(',')
    .map(
      (name) =>
        contestants.find((one) => one.name === name) ??
        refuse(`--only knows ${contestants.map((one) => one.name).join('; ')}`),
    );
}

function wholeNumber(name: string, text: string, max: number): number {
  const number = Number(text);
  return Number.isInteger(number) && number >= 1 && number <= max
    ? number
    : refuse(`--${name} is a whole number from 1 to ${max}`);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function refuse(text: string): never {
  say(text);
  process.exit(2);
}
