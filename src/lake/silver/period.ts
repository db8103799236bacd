import type { Ports } from '../../platform/ports/ports.ts';
import { periodRange, periodsIn } from '../../domain/partition.ts';
import type { ExchangeAPIError } from '../../errors/errors.ts';
import { readStoredRows, type ResponseLoss, type StoredRows } from '../bronze/stored-responses.ts';
import { usedPages, type PageEntry } from '../bronze/page-index.ts';
import type { DeliveredRow, ExchangeAdapter } from '../../exchanges/adapter.ts';
import { bySymbolAndTime, type SilverRow } from '../candle-columns.ts';
import type { Lake, PeriodKey } from '../layout.ts';
import type { ReleasedRow } from '../manifest.ts';
import { decisionsIn, type Decisions, type QuarantineDecision } from '../quarantine-decisions.ts';
import { rawReference, type QuarantinedRow } from '../quarantine-columns.ts';
import { validateRow } from '../quality/row-rules.ts';
import { selectRows, type Delivery } from './selection.ts';

/** A row that was taken with a warning. */
export interface WarnedRow {
  readonly row: SilverRow;
  readonly rules: readonly string[];
}

/** One period of one venue and interval as bronze tells it: every symbol, judged, one row for each open time. */
export interface PeriodRows {
  /** Sorted by symbol, then time. */
  readonly rows: readonly SilverRow[];
  readonly quarantined: readonly QuarantinedRow[];
  readonly warned: readonly WarnedRow[];
  readonly duplicates: number;
  /** Rows that were taken because somebody said so. */
  readonly released: readonly ReleasedRow[];
  /** Of rows in this period. */
  readonly decisions: Decisions;
  /** Candles that the file as it stands has otherwise. */
  readonly revisions: readonly RevisedRow[];
  /** sha256 of every answer used, in order of arrival. */
  readonly inputs: readonly string[];
  /** Answers that could not be read any more: nothing above is theirs. */
  readonly lost: readonly LostResponse[];
}

/** A row as it was stored and as it is told now, each with the reference of its answer. */
export interface RevisedRow {
  readonly before: { readonly row: SilverRow; readonly raw: string };
  readonly after: { readonly row: SilverRow; readonly raw: string };
}

/** An indexed response that cannot be read any more. */
export interface LostResponse {
  readonly page: PageEntry;
  readonly loss: ResponseLoss;
  /** Why the adapter rejected it; null when its bytes are lost. */
  readonly cause: ExchangeAPIError | null;
}

/** Rows of kept answers, read again from bronze. */
export interface ResponseReader {
  /** Called once for each period that the page touches. */
  read(page: PageEntry): StoredRows;
}

/** An answer that lies across the border of two periods is read and parsed once: what one has read is held for the other. */
export function responseReader({ files }: Pick<Ports, 'files'>, lake: Lake, adapter: ExchangeAdapter): ResponseReader {
  const held = new Map<string, { readonly rows: readonly DeliveredRow[]; readonly periodsLeft: number }>();
  const hold = (page: PageEntry, rows: readonly DeliveredRow[], periodsLeft: number): void =>
    void (periodsLeft > 0 ? held.set(page.id, { rows, periodsLeft }) : held.delete(page.id));
  return {
    read: (page) => {
      const known = held.get(page.id);
      if (known !== undefined) {
        hold(page, known.rows, known.periodsLeft - 1);
        return { ok: true, rows: known.rows };
      }
      const stored = readStoredRows(files, lake, adapter, page);
      if (stored.ok) hold(page, stored.rows, periodsIn(page.range, page.series.interval).length - 1);
      return stored;
    },
  };
}

/**
 * Reads every used answer that touches the period. Rows depend on the answers alone, not on who asked or
 * when; `storedInputs`, the answers behind the file as it stands, tell which rows are revised.
 */
export async function readPeriod(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  responses: ResponseReader,
  key: PeriodKey,
  storedInputs: readonly string[] = [],
): Promise<PeriodRows> {
  const known = new Set(storedInputs);
  const range = periodRange(key.period);
  const { indexed, decisions } = await store.read('usedPages', function* () {
    return {
      indexed: yield* usedPages({ exchange: key.exchange, interval: key.interval }, range),
      decisions: yield* decisionsIn(key, range),
    };
  });
  const pages: ReadPage[] = [];
  const lost: LostResponse[] = [];
  for (const page of indexed) {
    await clock.yieldToEventLoop();
    const stored = responses.read(page);
    if (stored.ok) pages.push({ page, delivered: stored.rows });
    else lost.push({ page, loss: stored.loss, cause: stored.cause });
  }
  const bySymbol = Map.groupBy(pages, ({ page }) => page.series.symbol);
  const rows: SilverRow[] = [];
  const quarantined: QuarantinedRow[] = [];
  const warned: WarnedRow[] = [];
  const released: ReleasedRow[] = [];
  let duplicates = 0;
  const revisions: RevisedRow[] = [];
  for (const symbolPages of bySymbol.values()) {
    await clock.yieldToEventLoop();
    const deliveries = symbolPages
      .flatMap(({ page, delivered }, response) => deliveriesOf({ page, delivered }, response, { known, decisions }))
      .filter(({ row }) => row.openTimeMs >= range.fromMs && row.openTimeMs < range.toMs);
    const selection = selectRows(deliveries);
    duplicates += selection.duplicates;
    const referred = ({ silver, row, response }: Delivery): RevisedRow['before'] => ({
      row: silver,
      raw: rawReference({ page: (symbolPages[response] as ReadPage).page.id, index: row.index }),
    });
    revisions.push(
      ...selection.revisions.map(({ before, after }) => ({ before: referred(before), after: referred(after) })),
    );
    for (const { silver, validation, released: decision } of selection.taken) {
      rows.push(silver);
      if (decision !== null)
        released.push({
          symbol: silver.symbol,
          openTimeMs: silver.openTimeMs,
          rules: validation.errors,
          reason: decision.reason,
          by: decision.by,
        });
      if (validation.warnings.length > 0) warned.push({ row: silver, rules: validation.warnings });
    }
    for (const delivery of selection.quarantined) {
      const { page } = symbolPages[delivery.response] as ReadPage;
      quarantined.push({ ...referred(delivery), rules: delivery.validation.errors, runId: page.runId });
    }
  }
  return {
    rows: rows.toSorted(bySymbolAndTime),
    quarantined: quarantined.toSorted((a, b) => bySymbolAndTime(a.row, b.row)),
    warned,
    duplicates,
    released,
    decisions,
    revisions,
    inputs: pages.map(({ page }) => page.sha256),
    lost,
  };
}

interface ReadPage {
  readonly page: PageEntry;
  readonly delivered: readonly DeliveredRow[];
}

function deliveriesOf(
  { page, delivered }: ReadPage,
  response: number,
  { known, decisions }: { readonly known: ReadonlySet<string>; readonly decisions: Decisions },
): Delivery[] {
  return delivered.map((row) => ({
    row,
    response,
    isKnown: known.has(page.sha256),
    released: releaseOf(
      decisions.of({ symbol: page.series.symbol, openTimeMs: row.openTimeMs }),
      rawReference({ page: page.id, index: row.index }),
    ),
    validation: validateRow(row, page.series, { fetchedAtMs: page.fetchedAtMs }),
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

const releaseOf = (decision: QuarantineDecision | null, raw: string): QuarantineDecision | null =>
  decision?.verdict === 'release' && decision.raw === raw ? decision : null;

/** What of a period opens before `timeMs`. */
export function periodBefore(period: PeriodRows, timeMs: number): Pick<PeriodRows, 'rows' | 'quarantined' | 'warned'> {
  const isBefore = ({ row }: { readonly row: SilverRow }): boolean => row.openTimeMs < timeMs;
  return {
    rows: period.rows.filter((row) => isBefore({ row })),
    quarantined: period.quarantined.filter(isBefore),
    warned: period.warned.filter(isBefore),
  };
}
