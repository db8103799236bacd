import type { Ports } from '../../kernel/ports.ts';
import { periodRange } from '../../market/partition.ts';
import { answerOf, unpackAnswer } from '../bronze/answers.ts';
import { usedPages, type PageEntry } from '../bronze/page-index.ts';
import type { ExchangeAdapter } from '../exchanges/adapter.ts';
import { bySymbolAndTime, type SilverRow } from '../lake/candle-columns.ts';
import type { Lake, PeriodKey } from '../lake/layout.ts';
import { rawReference, type QuarantinedRow } from '../lake/quarantine-columns.ts';
import { judgeRow } from '../quality/row-rules.ts';
import { selectRows, type Delivery } from './selection.ts';

/** One period of one venue and interval as bronze tells it: every symbol, judged, one row for each open time. */
export interface PeriodRows {
  /** Sorted by symbol, then time. */
  readonly rows: readonly SilverRow[];
  readonly quarantined: readonly QuarantinedRow[];
  /** Warnings of rows that were taken, by `symbol openTimeMs`. */
  readonly warnings: ReadonlyMap<string, readonly string[]>;
  readonly duplicates: number;
  readonly revisions: number;
  /** sha256 of every answer used, in order of arrival. */
  readonly inputs: readonly string[];
}

export const rowKey = (row: { readonly symbol: string; readonly openTimeMs: number }): string => `${row.symbol} ${row.openTimeMs}`;

/** Reads every used answer that touches the period. The result depends on the answers alone, not on who asked or when. */
export async function readPeriod(ports: Ports, lake: Lake, adapter: ExchangeAdapter, key: PeriodKey): Promise<PeriodRows> {
  const range = periodRange(key.period);
  const pages = await ports.store.read('usedPages', () => usedPages({ exchange: key.exchange, interval: key.interval }, range));
  const bySymbol = Map.groupBy(pages, (page) => page.series.symbol);
  const rows: SilverRow[] = [];
  const quarantined: QuarantinedRow[] = [];
  const warnings = new Map<string, readonly string[]>();
  let duplicates = 0;
  let revisions = 0;
  for (const symbolPages of bySymbol.values()) {
    const deliveries = symbolPages.flatMap((page, answer) => deliveriesOf(page, answer, readAnswerRows(ports, lake, adapter, page)))
      .filter(({ row }) => row.openTimeMs >= range.fromMs && row.openTimeMs < range.toMs);
    const selection = selectRows(deliveries);
    duplicates += selection.duplicates;
    revisions += selection.revisions;
    for (const { silver, judgement } of selection.taken) {
      rows.push(silver);
      if (judgement.warnings.length > 0) warnings.set(rowKey(silver), judgement.warnings);
    }
    for (const { silver, row, judgement, answer } of selection.quarantined) {
      const page = symbolPages[answer] as PageEntry;
      quarantined.push({ row: silver, rules: judgement.errors, runId: page.runId, raw: rawReference({ segment: page.segment, offset: page.offset, index: row.index }) });
    }
  }
  return {
    rows: rows.toSorted(bySymbolAndTime),
    quarantined: quarantined.toSorted((a, b) => bySymbolAndTime(a.row, b.row)),
    warnings,
    duplicates,
    revisions,
    inputs: pages.map((page) => page.sha256),
  };
}

function readAnswerRows(ports: Ports, lake: Lake, adapter: ExchangeAdapter, page: PageEntry): ReturnType<ExchangeAdapter['readCandles']> {
  const stored = unpackAnswer(ports.files.readSlice(lake.at(page.segment), page.offset, page.length));
  return adapter.readCandles({ series: page.series, range: page.range }, answerOf(stored), page.fetchedAtMs);
}

function deliveriesOf(page: PageEntry, answer: number, rows: ReturnType<ExchangeAdapter['readCandles']>): Delivery[] {
  return rows.map((row) => ({
    row,
    answer,
    judgement: judgeRow(row, page.series, { fetchedAtMs: page.fetchedAtMs }),
    silver: {
      ...page.series,
      openTimeMs: row.openTimeMs,
      open: row.open,
      high: row.high,
      low: row.low,
      close: row.close,
      volume: row.volume,
      quoteVolume: row.quoteVolume,
      trades: row.trades,
      closeTimeMs: row.closeTimeMs,
    },
  }));
}

/** What of a period opens before `timeMs`. */
export function periodBefore(period: PeriodRows, timeMs: number): Pick<PeriodRows, 'rows' | 'quarantined' | 'warnings'> {
  const rows = period.rows.filter((row) => row.openTimeMs < timeMs);
  const kept = new Set(rows.map(rowKey));
  return {
    rows,
    quarantined: period.quarantined.filter(({ row }) => row.openTimeMs < timeMs),
    warnings: new Map([...period.warnings].filter(([key]) => kept.has(key))),
  };
}
