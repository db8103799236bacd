import { gunzipSync } from 'node:zlib';
import type { Files } from '../kernel/files.ts';
import { intervalMs, isInterval, type Interval } from '../market/interval.ts';
import { parseSymbol, type MarketSymbol } from '../market/symbol.ts';

/** A kline as Binance sends it: decimals as text, exactly as recorded. */
export type TapeRow = readonly [
  openTimeMs: number, open: string, high: string, low: string, close: string, volume: string,
  closeTimeMs: number, quoteVolume: string, trades: number, takerBase: string, takerQuote: string, ignore: string,
];

/** What a recording kept of each row. From six columns the other six are made up, so only the first six may be compared. */
export type RecordedColumns = 'all' | 'first-six';

export interface RecordedSeries {
  readonly symbol: MarketSymbol;
  /** The venue's spelling, e.g. `BTCUSDT`. */
  readonly venueSymbol: string;
  readonly interval: Interval;
  /** Oldest first, without duplicates. */
  readonly rows: readonly TapeRow[];
  readonly columns: RecordedColumns;
}

/** The candles a stand-in exchange knows. */
export interface World {
  readonly series: readonly RecordedSeries[];
  find(venueSymbol: string, interval: string): RecordedSeries | null;
}

/** Parts of one series become one; of rows recorded twice the first stays. */
export function worldOf(parts: readonly RecordedSeries[]): World {
  const byKey = Map.groupBy(parts, (part) => `${part.venueSymbol} ${part.interval}`);
  const joined = new Map([...byKey].map(([key, own]) => [key, own.reduce(join)]));
  return { series: [...joined.values()], find: (venueSymbol, interval) => joined.get(`${venueSymbol} ${interval}`) ?? null };
}

function join(a: RecordedSeries, b: RecordedSeries): RecordedSeries {
  const rows = new Map([...b.rows, ...a.rows].map((row) => [row[0], row]));
  return { ...a, columns: a.columns === b.columns ? a.columns : 'first-six', rows: [...rows.values()].toSorted((x, y) => x[0] - y[0]) };
}

/** Columns of a tape whose rows are whole klines. */
const WHOLE_COLUMNS = 11;

/**
 * Reads one tape: CSV with a header row, fields in Binance's own order, times in milliseconds. Tapes
 * with the first six fields get a close time on the grid, a quote volume of volume x close and one
 * trade where there was volume, so that they can be served as whole klines.
 * @throws TypeError for a row that is no kline.
 */
export function parseTape(csv: string, of: { readonly venueSymbol: string; readonly interval: Interval }): RecordedSeries {
  const symbol = parseSymbol(of.venueSymbol);
  if (symbol === null) throw new TypeError(`${of.venueSymbol} is no symbol`);
  const lines = csv.trim().split('\n').slice(1);
  const rows = lines.map((line) => klineOf(line.split(','), of.interval));
  const columns = lines.every((line) => line.split(',').length >= WHOLE_COLUMNS) ? 'all' : 'first-six';
  return { symbol, ...of, columns, rows };
}

function klineOf(fields: readonly string[], interval: Interval): TapeRow {
  const [time, open, high, low, close, volume] = fields;
  const openTimeMs = Number(time);
  if (!Number.isSafeInteger(openTimeMs) || !open || !high || !low || !close || !volume) throw new TypeError(`no kline: ${fields.join(',')}`);
  const [closeTime, quoteVolume, trades, takerBase, takerQuote] = fields.slice(6);
  if (closeTime !== undefined && quoteVolume !== undefined) {
    return [openTimeMs, open, high, low, close, volume, Number(closeTime), quoteVolume, Number(trades), takerBase ?? '0', takerQuote ?? '0', '0'];
  }
  const traded = Number(volume) > 0;
  return [openTimeMs, open, high, low, close, volume, openTimeMs + intervalMs(interval) - 1, String(Number(volume) * Number(close)), traded ? 1 : 0, '0', '0', '0'];
}

/** `BTCUSDT-2024-06.csv.gz` in a folder named by its interval: `binance/1h/BTCUSDT-2024-06.csv.gz`. */
const TAPE_NAME = /^([A-Z0-9]+?)(?:-.*)?\.csv\.gz$/;

/** Reads every tape below `directory`, which holds a folder for each interval; folders of other names are passed over. */
export function loadTapes(files: Files, directory: string): World {
  const parts = files.list(directory).filter(isInterval).flatMap((interval) =>
    files.list(`${directory}/${interval}`).flatMap((name) => {
      const venueSymbol = TAPE_NAME.exec(name)?.[1];
      if (venueSymbol === undefined) return [];
      return [parseTape(gunzipSync(files.read(`${directory}/${interval}/${name}`)).toString('utf8'), { venueSymbol, interval })];
    }));
  return worldOf(parts);
}
