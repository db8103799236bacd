import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The column that shows whether a candle had trades, by each exchange's name for it. */
export interface RecordedCandle {
  readonly openTimeMs: number;
  readonly high: number;
  readonly low: number;
  readonly volume: number;
  readonly closeTimeMs: number | null;
}

/** One recorded series: each candle that its venue sent in `fromMs`..`toMs`. */
export interface Recording {
  readonly exchange: string;
  readonly symbol: string;
  readonly interval: string;
  readonly stepMs: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly rows: readonly RecordedCandle[];
}

interface Facts {
  readonly exchange: string;
  readonly symbol: string;
  readonly interval: string;
  readonly from: string;
  readonly to: string;
  readonly source: string;
  /** Runs as [candles since `from`, length]. */
  readonly missing: readonly (readonly [number, number])[];
  readonly flat: readonly (readonly [number, number])[];
  /** [candles since `from`, close time]. */
  readonly cut: readonly (readonly [number, number])[];
}

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const stepOf = (interval: string): number => {
  const [, count, unit = ''] = /^(\d+)([mhd])/i.exec(interval) ?? [];
  return Number(count) * (UNIT_MS[unit.toLowerCase()] ?? Number.NaN);
};

const indexes = (runs: Facts['missing']): Set<number> =>
  new Set(runs.flatMap(([first, length]) => Array.from({ length }, (_, at) => first + at)));

/**
 * The fixtures hold only which candles exist, which were flat and which were truncated. A candle with trades has
 * prices 1 to 2 and volume 1.
 */
function recordingOf({ exchange, symbol, interval, ...facts }: Facts): Recording {
  const [stepMs, fromMs, toMs] = [stepOf(interval), Date.parse(facts.from), Date.parse(facts.to)];
  const [missing, flat, cut] = [indexes(facts.missing), indexes(facts.flat), new Map(facts.cut)];
  const rows = Array.from({ length: (toMs - fromMs) / stepMs }, (_, at) => at)
    .filter((at) => !missing.has(at))
    .map((at): RecordedCandle => {
      const openTimeMs = fromMs + at * stepMs;
      return {
        openTimeMs,
        high: flat.has(at) ? 1 : 2,
        low: 1,
        volume: flat.has(at) ? 0 : 1,
        closeTimeMs: cut.get(at) ?? null,
      };
    });
  return { exchange, symbol, interval, stepMs, fromMs, toMs, rows };
}

/** The committed facts, see `tests/fixtures/README.md`. */
export const RECORDED: readonly Recording[] = (
  JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/recorded-gaps.json'), 'utf8')) as Facts[]
).map(recordingOf);

export const recorded = (exchange: string, interval: string, from: string): Recording[] =>
  RECORDED.filter((one) => one.exchange === exchange && one.interval === interval && one.fromMs === Date.parse(from));

/** `coinbase/1m/BTC-USD-2023-03-01_21.csv.gz` */
const NAME = /^(.+?)(?:-\d{4}.*)?\.csv\.gz$/;

/**
 * Your own recordings: `<exchange>/<interval>/<SYMBOL>-anything.csv.gz`, with a header row as the exchange names the
 * columns. Series off the grid are skipped.
 */
export function readRecordings(folder: string): Recording[] {
  const names = (path: string): string[] => readdirSync(path, { withFileTypes: true }).map((entry) => entry.name);
  return names(folder).flatMap((exchange) =>
    names(join(folder, exchange))
      .filter((interval) => stepOf(interval) > 0)
      .flatMap((interval) =>
        names(join(folder, exchange, interval)).flatMap((name) => {
          const symbol = NAME.exec(name)?.[1];
          const rows =
            symbol === undefined
              ? []
              : readRows(gunzipSync(readFileSync(join(folder, exchange, interval, name))).toString('utf8'));
          const [stepMs, first, last] = [stepOf(interval), rows[0], rows.at(-1)];
          if (symbol === undefined || first === undefined || last === undefined || first.openTimeMs % stepMs !== 0)
            return [];
          return [
            { exchange, symbol, interval, stepMs, fromMs: first.openTimeMs, toMs: last.openTimeMs + stepMs, rows },
          ];
        }),
      ),
  );
}

const TIMES = ['open_time', 'time', 'ts', 't'];
/** Ten digits are seconds. */
const SECONDS_MAX = 99_999_999_999;

function readRows(csv: string): RecordedCandle[] {
  const [header = '', ...lines] = csv.trim().split('\n');
  const columns = header.split(',');
  const at = (...called: string[]): number => columns.findIndex((column) => called.includes(column));
  const [time, high, low, volume, close] = [
    at(...TIMES),
    at('high', 'h'),
    at('low', 'l'),
    at('volume', 'vol', 'v'),
    at('close_time'),
  ];
  return lines
    .map((line) => {
      const fields = line.split(',').map(Number);
      const stated = fields[time] ?? Number.NaN;
      return {
        openTimeMs: stated > SECONDS_MAX ? stated : stated * 1_000,
        high: fields[high] ?? Number.NaN,
        low: fields[low] ?? Number.NaN,
        volume: fields[volume] ?? Number.NaN,
        closeTimeMs: close < 0 ? null : (fields[close] ?? null),
      };
    })
    .toSorted((a, b) => a.openTimeMs - b.openTimeMs);
}
