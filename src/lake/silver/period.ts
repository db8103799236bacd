import type { Ports } from '../../platform/ports/ports.ts';
import { periodRange } from '../../domain/partition.ts';
import type { TimeRange } from '../../domain/range.ts';
import type { ExchangeAPIError } from '../../errors/errors.ts';
import type { ResponseLoss } from '../bronze/stored-responses.ts';
import { usedPages, type PageEntry } from '../bronze/page-index.ts';
import type { DeliveredRow } from '../../exchanges/adapter.ts';
import { bySymbolAndTime, type SilverRow } from '../candle-columns.ts';
import type { PeriodKey } from '../layout.ts';
import type { ReleasedRow } from '../manifest.ts';
import { decisionsIn, type Decisions, type QuarantineDecision } from '../quarantine-decisions.ts';
import { rawReference, type QuarantinedRow } from '../quarantine-columns.ts';
import { validateRow } from '../quality/row-rules.ts';
import { selectRows, type Delivery } from './selection.ts';
import type { ResponseReader } from './response-reader.ts';

/** An accepted row that broke a warning rule. */
export interface WarnedRow {
  readonly row: SilverRow;
  readonly rules: readonly string[];
}

/** One period of one venue and interval as bronze has it: every symbol, validated, one row per open time. */
export interface PeriodRows {
  /** Sorted by symbol, then time. */
  readonly rows: readonly SilverRow[];
  readonly quarantined: readonly QuarantinedRow[];
  readonly warned: readonly WarnedRow[];
  readonly duplicates: number;
  /** Rows in `rows` that break a rule and were released by a person. */
  readonly released: readonly ReleasedRow[];
  /** Decisions of a person about rows of this period. */
  readonly decisions: Decisions;
  /** Candles of the stored file to which a response that arrived since gives other values. */
  readonly revisions: readonly RevisedRow[];
  /** sha256 of every response used, in order of arrival. */
  readonly inputs: readonly string[];
  /** Responses that cannot be read any more; no row above comes from them. */
  readonly lost: readonly LostResponse[];
}

/** A row as stored and as delivered since, each with the reference of its response. */
export interface RevisedRow {
  readonly before: ReferredRow;
  readonly after: ReferredRow;
}

interface ReferredRow {
  readonly row: SilverRow;
  readonly raw: string;
}

/** An indexed response that cannot be read any more. */
export interface LostResponse {
  readonly page: PageEntry;
  readonly loss: ResponseLoss;
  /** Why the adapter rejected it; null when its bytes are lost. */
  readonly cause: ExchangeAPIError | null;
}

/**
 * Reads every used response that touches the period. The rows depend on the responses and on the rows a person
 * released from quarantine, not on the run. `storedInputs` are the sha256 of the responses behind the stored file:
 * `revisions` compares with their rows.
 */
export async function readPeriod(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  responses: ResponseReader,
  key: PeriodKey,
  storedInputs: readonly string[] = [],
): Promise<PeriodRows> {
  const range = periodRange(key.period);
  const { indexed, decisions } = await store.read(function* responsesAndDecisions() {
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
  const known = { range, inputs: new Set(storedInputs), decisions };
  const found: SymbolRows[] = [];
  for (const symbolPages of Map.groupBy(pages, ({ page }) => page.series.symbol).values()) {
    await clock.yieldToEventLoop();
    found.push(symbolRows(symbolPages, known));
  }
  return {
    rows: found.flatMap(({ rows }) => rows).toSorted(bySymbolAndTime),
    quarantined: found.flatMap(({ quarantined }) => quarantined).toSorted((a, b) => bySymbolAndTime(a.row, b.row)),
    warned: found.flatMap(({ warned }) => warned),
    duplicates: found.reduce((sum, { duplicates }) => sum + duplicates, 0),
    released: found.flatMap(({ released }) => released),
    decisions,
    revisions: found.flatMap(({ revisions }) => revisions),
    inputs: pages.map(({ page }) => page.sha256),
    lost,
  };
}

type SymbolRows = Pick<PeriodRows, 'rows' | 'quarantined' | 'warned' | 'duplicates' | 'released' | 'revisions'>;

interface KnownOfPeriod {
  readonly range: TimeRange;
  /** sha256 of the responses behind the stored file. */
  readonly inputs: ReadonlySet<string>;
  readonly decisions: Decisions;
}

/** The rows of one symbol from its responses, in order of arrival. */
function symbolRows(pages: readonly ReadPage[], known: KnownOfPeriod): SymbolRows {
  const { fromMs, toMs } = known.range;
  const deliveries = pages
    .flatMap((page, response) => deliveriesOf(page, response, known))
    .filter(({ row }) => row.openTimeMs >= fromMs && row.openTimeMs < toMs);
  const { taken, quarantined, duplicates, revisions } = selectRows(deliveries);
  const pageOf = ({ response }: Delivery): PageEntry => (pages[response] as ReadPage).page;
  const referred = (delivery: Delivery): ReferredRow => ({
    row: delivery.silver,
    raw: rawReference({ page: pageOf(delivery).id, index: delivery.row.index }),
  });
  return {
    rows: taken.map(({ silver }) => silver),
    quarantined: quarantined.map((delivery) => ({
      ...referred(delivery),
      rules: delivery.validation.errors,
      runId: pageOf(delivery).runId,
    })),
    warned: taken
      .filter(({ validation }) => validation.warnings.length > 0)
      .map(({ silver, validation }) => ({ row: silver, rules: validation.warnings })),
    duplicates,
    released: taken.flatMap(({ silver: { symbol, openTimeMs }, validation, released }) =>
      released === null
        ? []
        : [{ symbol, openTimeMs, rules: validation.errors, reason: released.reason, by: released.by }],
    ),
    revisions: revisions.map(({ before, after }) => ({ before: referred(before), after: referred(after) })),
  };
}

interface ReadPage {
  readonly page: PageEntry;
  readonly delivered: readonly DeliveredRow[];
}

function deliveriesOf(
  { page, delivered }: ReadPage,
  response: number,
  { inputs, decisions }: KnownOfPeriod,
): Delivery[] {
  return delivered.map((row) => ({
    row,
    response,
    isKnown: inputs.has(page.sha256),
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

/** The rows of a period that open before `timeMs`. */
export function periodBefore(period: PeriodRows, timeMs: number): Pick<PeriodRows, 'rows' | 'quarantined' | 'warned'> {
  const isBefore = ({ row }: { readonly row: SilverRow }): boolean => row.openTimeMs < timeMs;
  return {
    rows: period.rows.filter((row) => isBefore({ row })),
    quarantined: period.quarantined.filter(isBefore),
    warned: period.warned.filter(isBefore),
  };
}
