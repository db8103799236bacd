import { gunzipSync } from 'node:zlib';
import type { Files } from '../platform/ports/files.ts';
import { DAY_MS, INTERVALS, intervalMs, type Interval } from '../domain/interval.ts';
import { dayOf, type Day } from '../domain/partition.ts';
import { parseSymbol, type MarketSymbol } from '../domain/symbol.ts';
import { worldOf, type World } from './world.ts';
import type { RecordedSeries, RecordedCandle } from './recorded-series.ts';

/** The recorded candles of one venue. */
export interface Recordings {
  readonly world: World;
  /** Paths of folders and files that are no recording. */
  readonly skipped: readonly string[];
}

/** Folder names as each venue spells its intervals: Binance as we do, OKX `1H` and `1Dutc`, Coinbase in seconds. */
const FOLDERS: ReadonlyMap<string, Interval> = new Map([
  ...INTERVALS.flatMap((interval): [string, Interval][] => [
    [interval, interval],
    [String(intervalMs(interval) / 1_000), interval],
  ]),
  ['1H', '1h'],
  ['4H', '4h'],
  ['1Dutc', '1d'],
]);

/** Reads all recordings of a venue: a folder for each interval, e.g. `binance/1h/BTCUSDT-2024-06.csv.gz`. */
export function readRecordings(files: Files, directory: string): Recordings {
  const parts: RecordedSeries[] = [];
  const skipped: string[] = [];
  for (const folder of files.list(directory)) {
    const interval = FOLDERS.get(folder);
    if (interval === undefined) {
      skipped.push(`${directory}/${folder}`);
      continue;
    }
    for (const name of files.list(`${directory}/${folder}`)) {
      const path = `${directory}/${folder}/${name}`;
      const part = name.endsWith('.csv.gz')
        ? parseRecording(gunzipSync(files.read(path)).toString('utf8'), { name, interval })
        : null;
      if (part === null) skipped.push(path);
      else parts.push(part);
    }
  }
  return { world: worldOf(parts), skipped };
}

export const loadRecordings = (files: Files, directory: string): World => readRecordings(files, directory).world;

/** `BTCUSDT-2024-06.csv.gz` where the venue joins base and quote, `BTC-USD-2024.csv.gz` where it does not. */
const JOINED_NAME = /^([A-Z0-9]+?)(?:-.*)?\.csv\.gz$/;
const DASHED_NAME = /^([A-Z0-9]+-[A-Z0-9]+?)(?:-.*)?\.csv\.gz$/;

/** Formats of the recordings, by the name of the first column. */
const FORMS: ReadonlyMap<string | undefined, { readonly unitMs: number; readonly fileName: RegExp }> = new Map([
  ['open_time', { unitMs: 1, fileName: JOINED_NAME }], // Binance
  ['time', { unitMs: 1_000, fileName: DASHED_NAME }], // Coinbase
  ['ts', { unitMs: 1, fileName: DASHED_NAME }], // OKX
]);

/**
 * Reads one recording: CSV with a header row, columns and time unit as the venue has them. Columns that were not
 * recorded are filled in, so that the row can be served as a kline: a close time on the grid, a quote volume of volume
 * x close, one trade where there is volume. Null for a file name that is no symbol.
 * @throws TypeError for a row that is no candle.
 */
export function parseRecording(
  csv: string,
  { name, interval }: { readonly name: string; readonly interval: Interval },
): RecordedSeries | null {
  const [header = '', ...lines] = csv.trim().split('\n');
  const columns = header.trim().split(',');
  const form = FORMS.get(columns[0]);
  const venueSymbol = form?.fileName.exec(name)?.[1];
  const symbol = venueSymbol === undefined ? null : parseSymbol(venueSymbol);
  if (form === undefined || venueSymbol === undefined || symbol === null) return null;
  const read = rowReader(columns, { interval, unitMs: form.unitMs });
  const rows = lines.flatMap((line) => read(line.trim().split(','))).toSorted((a, b) => a[0] - b[0]);
  const known = columns.includes('trades') ? 'all' : columns.includes('volCcyQuote') ? 'quote-volume' : 'first-six';
  return { symbol, venueSymbol, interval, rows, columns: known };
}

/** Open times in milliseconds have 13 digits. */
const isOpenTime = (timeMs: number): boolean => Number.isSafeInteger(timeMs) && String(timeMs).length === 13;

function rowReader(
  columns: readonly string[],
  { interval, unitMs }: { readonly interval: Interval; readonly unitMs: number },
): (fields: readonly string[]) => RecordedCandle[] {
  const place = (...names: readonly string[]): number => columns.findIndex((column) => names.includes(column));
  const [openAt, highAt, lowAt, closeAt, volumeAt] = [
    place('open', 'o'),
    place('high', 'h'),
    place('low', 'l'),
    place('close', 'c'),
    place('volume', 'vol'),
  ];
  const [closeTimeAt, quoteVolumeAt, tradesAt, confirmAt] = [
    place('close_time'),
    place('quote_volume', 'volCcyQuote'),
    place('trades'),
    place('confirm'),
  ];
  const [takerBaseAt, takerQuoteAt] = [place('taker_buy_base'), place('taker_buy_quote')];
  return (fields) => {
    const openTimeMs = Number(fields[0]) * unitMs;
    const [open, high, low, close, volume] = [
      fields[openAt],
      fields[highAt],
      fields[lowAt],
      fields[closeAt],
      fields[volumeAt],
    ];
    if (!isOpenTime(openTimeMs) || !open || !high || !low || !close || !volume)
      throw new TypeError(`no candle: ${fields.join(',')}`);
    if (fields[confirmAt] === '0') return []; // recorded while still open
    return [
      [
        openTimeMs,
        open,
        high,
        low,
        close,
        volume,
        Number(fields[closeTimeAt] ?? openTimeMs + intervalMs(interval) - 1),
        fields[quoteVolumeAt] ?? String(Number(volume) * Number(close)),
        Number(fields[tradesAt] ?? (Number(volume) > 0 ? 1 : 0)),
        fields[takerBaseAt] ?? '0',
        fields[takerQuoteAt] ?? '0',
        '0',
      ],
    ];
  };
}

/** A longer break separates two spans of a series. Unit: milliseconds. */
const BREAK_MS = 2 * DAY_MS;

/** A segment of one series without a long break. */
export interface RecordedSpan {
  readonly symbol: MarketSymbol;
  readonly interval: Interval;
  readonly firstDay: Day;
  readonly lastDay: Day;
  readonly candles: number;
}

/** The recorded segments, for a list shown to users. */
export const recordedSpans = (world: World): RecordedSpan[] =>
  world.series.flatMap(({ symbol, interval, rows }) => {
    const starts = rows.flatMap((row, at) => (at === 0 || row[0] - (rows[at - 1]?.[0] ?? 0) > BREAK_MS ? [at] : []));
    return starts.map((at, nth): RecordedSpan => {
      const own = rows.slice(at, starts[nth + 1]);
      return {
        symbol,
        interval,
        firstDay: dayOf(own[0]?.[0] ?? 0),
        lastDay: dayOf(own.at(-1)?.[0] ?? 0),
        candles: own.length,
      };
    });
  });
