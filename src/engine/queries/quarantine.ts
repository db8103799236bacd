import { join } from 'node:path';
import type { Cell } from '../../domain/candle.ts';
import type { Exchange } from '../../domain/exchange.ts';
import { INTERVALS, type Interval } from '../../domain/interval.ts';
import { dayOf } from '../../domain/partition.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { ExchangeAPIError } from '../../errors/errors.ts';
import type { ExchangeAdapter } from '../../exchanges/adapter.ts';
import { responseOf, type StoredResponse } from '../../lake/bronze/responses.ts';
import { readResponse } from '../../lake/bronze/stored-responses.ts';
import { pageById } from '../../lake/bronze/page-index.ts';
import { parseRawReference, quarantineRows, type QuarantinedRow } from '../../lake/quarantine-columns.ts';
import type { DayRange } from '../core/chunks.ts';
import { venueOf } from '../core/exchanges.ts';
import type { Pipeline } from '../core/pipeline.ts';

/** Selects quarantined rows; null selects everything. */
export interface QuarantineQuery {
  readonly exchanges: readonly Exchange[] | null;
  readonly symbols: readonly MarketSymbol[] | null;
  readonly intervals: readonly Interval[] | null;
  readonly days: DayRange | null;
}

/** Quarantined rows of one cell by rule. A row that breaks two rules counts under both. */
export interface QuarantinedCell extends Cell {
  readonly rows: number;
  readonly rules: Readonly<Record<string, number>>;
}

/** Rows in quarantine, file by file. Includes off-grid rows, which no cell counts. */
export async function quarantined(pipeline: Pipeline, query: QuarantineQuery): Promise<readonly QuarantinedRow[]> {
  const { files, parquet } = pipeline.ports;
  const rows: QuarantinedRow[] = [];
  for (const path of quarantineFiles(pipeline, query))
    rows.push(...quarantineRows(await parquet.decode(files.read(path))));
  return rows.filter(({ row }) => {
    const day = dayOf(row.openTimeMs);
    return (
      (query.symbols?.includes(row.symbol) ?? true) &&
      (query.days === null || (query.days.start <= day && day <= query.days.end))
    );
  });
}

function quarantineFiles({ ports, lake }: Pipeline, { exchanges, intervals }: QuarantineQuery): string[] {
  const below = (directory: string, key: string): string[] =>
    ports.files
      .list(lake.at(directory))
      .filter((name) => name.startsWith(`${key}=`))
      .map((name) => name.slice(key.length + 1));
  const root = 'quarantine';
  return below(root, 'exchange')
    .filter((exchange) => exchanges?.includes(exchange) ?? true)
    .flatMap((exchange) =>
      INTERVALS.filter((interval) => intervals?.includes(interval) ?? true).flatMap((interval) =>
        below(join(root, `exchange=${exchange}`, `interval=${interval}`), 'period')
          .map((period) => lake.at(lake.quarantineFile({ exchange, interval, period })))
          .filter((path) => ports.files.exists(path)),
      ),
    );
}

export function byCell(rows: readonly QuarantinedRow[]): readonly QuarantinedCell[] {
  const cells = Map.groupBy(
    rows,
    ({ row }) => `${row.exchange} ${row.interval} ${row.symbol} ${dayOf(row.openTimeMs)}`,
  );
  return [...cells.values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const { exchange, symbol, interval, openTimeMs } = first.row;
    const rules: Record<string, number> = {};
    for (const rule of own.flatMap((one) => one.rules)) rules[rule] = (rules[rule] ?? 0) + 1;
    return [{ exchange, symbol, interval, day: dayOf(openTimeMs), rows: own.length, rules }];
  });
}

/** A response in bronze and the row in question as its body holds it. */
export interface RawRow {
  readonly response: StoredResponse;
  /** Null when the response holds no such row, or the adapter no longer accepts the response. */
  readonly row: unknown;
}

/** The bronze response that a quarantined row came from; null when bronze no longer holds it. */
export async function rawOf({ ports, lake, venues }: Pipeline, { raw }: QuarantinedRow): Promise<RawRow | null> {
  const place = parseRawReference(raw);
  const page = place === null ? null : await ports.store.read(pageById, place.page);
  if (place === null || page === null) return null;
  const kept = readResponse(ports.files, lake, page);
  if (!kept.ok) return null;
  const rows = rawRows(venueOf(venues, page.series.exchange).adapter, kept.stored, page.fetchedAtMs);
  return { response: kept.stored, row: rows[place.index] ?? null };
}

function rawRows(adapter: ExchangeAdapter, stored: StoredResponse, fetchedAtMs: number): readonly unknown[] {
  try {
    return adapter.rawCandles(responseOf(stored), fetchedAtMs);
  } catch (error) {
    if (error instanceof ExchangeAPIError) return [];
    throw error;
  }
}
