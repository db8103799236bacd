import { forEachConcurrent } from '../../platform/concurrency.ts';
import type { Series } from '../../domain/candle.ts';
import { gridOf, hullOf, type TimeRange } from '../../domain/range.ts';
import type { FaultEntry } from '../../state/fault-log.ts';
import { removeSymbol } from '../../state/symbols.ts';
import { SchemaMismatchError, ValidationError, type ExchangeAPIError, type Fault } from '../../errors/errors.ts';
import { ruleOf } from '../../errors/table.ts';
import { toRecord } from '../../errors/fault-record.ts';
import type { DeliveredRow, Page } from '../../exchanges/adapter.ts';
import { validateRow } from '../quality/row-rules.ts';
import { firstCandle } from './first-candle.ts';
import { queryExchange, isListed, type ExchangeResponse, type QueryContext } from './exchange-query.ts';

/** A range of a series that could not be fetched, and the fault that ended the attempts. */
export interface PageFailure {
  readonly range: TimeRange;
  readonly fault: Fault;
  /** Not requested again before this time, set by the venue or by our deadline. Null when healing decides. */
  readonly notBeforeMs: number | null;
}

/** What one run got of one series. */
export interface SeriesFetch {
  readonly pagesAnswered: number;
  readonly rowsDelivered: number;
  /** Open times for which every attempt delivered only rows that break a rule. */
  readonly rowsInvalid: number;
  readonly rowsStored: number;
  readonly duplicates: number;
  readonly failures: readonly PageFailure[];
}

/** Failed pages in a row that end a series for this run: the rest would fail too. */
const FAILED_PAGES_IN_ROW_MAX = 2;
/** Concurrent pages of one series: a page that stalls delays only itself. */
const PAGES_CONCURRENT_MAX = 8;

/** The work on one series. */
export interface SeriesQuery {
  readonly series: Series;
  readonly pages: readonly Page[];
  /** The fault that ended the asset for every symbol, if any; remaining pages are not requested. */
  readonly endedBy: () => Fault | null;
}

/**
 * Fetches `pages` of one series; a page counts as answered once its response is durable. The first page is fetched
 * alone, because it shows faults of the symbol or of the whole venue. A page that fails for good costs only its range.
 * @throws ExchangeAPIError with a code that ends more than this series (FORBIDDEN, UNAUTHORIZED, SYMBOL_INVALID).
 */
export async function fetchSeries(
  context: QueryContext,
  { series, pages, endedBy }: SeriesQuery,
): Promise<SeriesFetch> {
  const total = { pagesAnswered: 0, rowsDelivered: 0, rowsInvalid: 0, rowsStored: 0, duplicates: 0 };
  const failures: PageFailure[] = [];
  const listing = listingOf(context, series);
  let failedInRow = 0;
  let ended: Omit<PageFailure, 'range'> | null = null;
  const fetchAndCount = async (page: Page): Promise<void> => {
    const assetFault = endedBy();
    if (assetFault !== null) ended ??= { fault: assetFault, notBeforeMs: null };
    if (ended !== null) {
      failures.push({ ...ended, range: page.range });
      return;
    }
    context.pages.begun(page);
    const { failure, ...counted } = await fetchPage(context, page, listing);
    for (const key of ['rowsDelivered', 'rowsInvalid', 'rowsStored', 'duplicates'] as const) total[key] += counted[key];
    total.pagesAnswered += failure === null ? 1 : 0;
    context.pages.ended(page, failure === null ? 'answered' : 'failed');
    failedInRow = failure === null ? 0 : failedInRow + 1;
    if (failure === null) return;
    failures.push(failure);
    if (failure.notBeforeMs !== null || failedInRow >= FAILED_PAGES_IN_ROW_MAX) ended ??= failure;
  };
  const [first, ...rest] = pages;
  if (first !== undefined) await fetchAndCount(first);
  await forEachConcurrent(rest, PAGES_CONCURRENT_MAX, fetchAndCount);
  return { ...total, failures: failures.toSorted((a, b) => a.range.fromMs - b.range.fromMs) };
}

/** Finds where the series begins, given the earliest candle held; at most one search in a run, and only if needed. */
type ListingStart = (heldMs: number) => Promise<number | null>;

function listingOf(context: QueryContext, series: Series): ListingStart {
  let search: Promise<number | null> | null = null;
  return (heldMs) => (search ??= firstCandle(context, series, { heldMs }));
}

interface PageFetch {
  readonly rowsDelivered: number;
  readonly rowsInvalid: number;
  readonly rowsStored: number;
  readonly duplicates: number;
  readonly failure: PageFailure | null;
}

/** Attempts for one page: one, a second for missing candles, and more while they bring new candles. */
const ATTEMPTS_MAX = 4;

/** One page, with further attempts for candles that were missing or invalid. */
async function fetchPage(context: QueryContext, page: Page, listing: ListingStart): Promise<PageFetch> {
  const valid = new Set<number>();
  const invalid = new Set<number>();
  const counted = { rowsDelivered: 0, duplicates: 0 };
  let failure: PageFailure | null = null;
  let current: Page | null = page;
  for (let attempt = 1; current !== null; attempt++) {
    const response = await fetchCandles(context, current);
    if (!response.ok) {
      failure = response.failure;
      break;
    }
    const found = inspect(context, current, response.rows);
    const isProgress = found.valid.difference(valid).size > 0;
    for (const openTimeMs of found.valid) valid.add(openTimeMs);
    for (const openTimeMs of found.invalid) invalid.add(openTimeMs);
    counted.rowsDelivered += response.rows.length;
    counted.duplicates += found.duplicates;
    const lacking = await lackingCandles(page, valid, listing);
    const next = hullOf(possiblyLost(context, lacking, response.rows), page.series.interval);
    const isLast = next === null || attempt === ATTEMPTS_MAX || (attempt > 1 && !isProgress);
    await logFindings(context, current, { found, lacking, fate: isLast ? LEFT : ASKED_AGAIN });
    current = isLast ? null : { series: page.series, range: next };
  }
  return { ...counted, rowsInvalid: invalid.difference(valid).size, rowsStored: valid.size, failure };
}

const ASKED_AGAIN = { missing: 'asked again', invalid: 'asked again' } as const;
const LEFT = { missing: 'pending', invalid: 'quarantined' } as const;

type CandlePage =
  | { readonly ok: true; readonly rows: readonly DeliveredRow[] }
  | { readonly ok: false; readonly failure: PageFailure };

/** @throws ExchangeAPIError when the fault concerns more than this page (FORBIDDEN, UNAUTHORIZED, SYMBOL_INVALID). */
async function fetchCandles(context: QueryContext, page: Page): Promise<CandlePage> {
  const { adapter } = context;
  const result = await queryExchange(context, {
    page,
    request: (origin, askedAtMs) => adapter.candlesRequest(origin, page, askedAtMs),
    read: (response, answeredAtMs) => adapter.readCandles(page, response, answeredAtMs),
  });
  if (!result.ok) return { ok: false, failure: await failureOf(context, page, result) };
  await context.writer.keep({
    page,
    url: result.url,
    response: result.response,
    fetchedAtMs: result.answeredAtMs,
    rejected: null,
    openTimesMs: result.value.map((row) => row.openTimeMs),
  });
  return { ok: true, rows: result.value };
}

async function failureOf(
  context: QueryContext,
  page: Page,
  failed: Extract<ExchangeResponse<unknown>, { ok: false }>,
): Promise<PageFailure> {
  const { consequence } = ruleOf(failed.fault.code);
  if (consequence === 'asset-fails' || consequence === 'run-stops') throw failed.fault;
  if (consequence === 'removed') return confirmRemoval(context, page, failed.fault);
  return { range: page.range, fault: failed.fault, notBeforeMs: failed.notBeforeMs };
}

/**
 * Removes a symbol only if the venue's own list, fetched now, does not have it either. If the venue contradicts
 * itself, its response is wrong and the candles stay pending.
 * @throws SymbolInvalidError (SYMBOL_INVALID) once the removal is stored.
 */
async function confirmRemoval(context: QueryContext, page: Page, fault: ExchangeAPIError): Promise<PageFailure> {
  const { ports } = context;
  const { exchange, symbol } = page.series;
  const listed = await isListed(context, page.series);
  if (!listed.ok) return { range: page.range, fault: listed.fault, notBeforeMs: listed.notBeforeMs };
  if (listed.value) {
    const message = `${exchange} calls ${symbol} invalid, but lists it`;
    return {
      range: page.range,
      fault: new SchemaMismatchError(message, fault.facts, { cause: fault }),
      notBeforeMs: null,
    };
  }
  const removed = {
    exchange,
    symbol,
    code: fault.code,
    reason: `${exchange} does not list it`,
    changedAtMs: ports.clock.nowMs(),
  };
  await ports.store.transact(removeSymbol, removed);
  throw fault;
}

interface Inspection {
  /** Open times with a row that breaks no rule. */
  readonly valid: ReadonlySet<number>;
  /** Open times with a row that breaks one. */
  readonly invalid: ReadonlySet<number>;
  readonly duplicates: number;
}

function inspect(context: QueryContext, page: Page, rows: readonly DeliveredRow[]): Inspection {
  const fetchedAtMs = context.ports.clock.nowMs();
  const { good = [], bad = [] } = Object.groupBy(rows, (row) =>
    validateRow(row, page.series, { fetchedAtMs }).errors.length === 0 ? 'good' : 'bad',
  );
  return {
    valid: new Set(good.map((row) => row.openTimeMs)),
    invalid: new Set(bad.map((row) => row.openTimeMs)),
    duplicates: rows.length - new Set(rows.map((row) => row.openTimeMs)).size,
  };
}

/** Candles of the page since the listing that no response has delivered so far. */
async function lackingCandles(
  page: Page,
  valid: ReadonlySet<number>,
  listing: ListingStart,
): Promise<readonly number[]> {
  const grid = gridOf(page.range, page.series.interval);
  const missing = grid.filter((openTimeMs) => !valid.has(openTimeMs));
  const isHeadMissing = missing.length > 0 && missing[0] === grid[0];
  const firstMs = isHeadMissing ? await listing(Math.min(...valid)) : null;
  return firstMs === null ? missing : missing.filter((openTimeMs) => openTimeMs >= firstMs);
}

/** Missing candles that may be lost. If the venue omits empty candles, a gap inside the response is no loss. */
function possiblyLost(
  { adapter }: QueryContext,
  lacking: readonly number[],
  rows: readonly DeliveredRow[],
): readonly number[] {
  if (adapter.emptyCandles === 'flat') return lacking;
  const times = rows.map((row) => row.openTimeMs);
  const [firstMs, lastMs] = [Math.min(...times), Math.max(...times)];
  return lacking.filter((openTimeMs) => openTimeMs < firstMs || openTimeMs > lastMs || times.includes(openTimeMs));
}

interface PageFindings {
  readonly found: Inspection;
  readonly lacking: readonly number[];
  /** What happens to the candles next. */
  readonly fate: { readonly missing: string; readonly invalid: string };
}

/** Records the data faults of one response: each code once, with its count. */
async function logFindings(context: QueryContext, page: Page, { found, lacking, fate }: PageFindings): Promise<void> {
  const invalid = found.invalid.size;
  const absent = lacking.length - Math.min(invalid, lacking.length);
  const faults = [
    ...(invalid > 0
      ? [
          dataFault(context, page, {
            code: 'ROWS_INVALID',
            message: `${invalid} rows break a rule`,
            rows: invalid,
            decision: fate.invalid,
          }),
        ]
      : []),
    ...(absent > 0
      ? [
          dataFault(context, page, {
            code: 'ROWS_MISSING',
            message: `${absent === 1 ? '1 candle is' : `${absent} candles are`} missing from the response`,
            rows: absent,
            decision: fate.missing,
          }),
        ]
      : []),
    ...(found.duplicates > 0
      ? [
          dataFault(context, page, {
            code: 'ROWS_DUPLICATE',
            message: `${found.duplicates} rows were delivered twice`,
            rows: found.duplicates,
            decision: 'last kept',
          }),
        ]
      : []),
  ];
  if (faults.length > 0) await context.writer.keep(null, faults);
}

function dataFault(
  context: QueryContext,
  page: Page,
  found: { code: 'ROWS_INVALID' | 'ROWS_MISSING' | 'ROWS_DUPLICATE'; message: string; rows: number; decision: string },
): FaultEntry {
  const { exchange, symbol, interval } = page.series;
  const error = new ValidationError(found.code, `${exchange} ${symbol} ${interval}: ${found.message}`, {
    exchange,
    symbol,
    interval,
    rows: found.rows,
  });
  return {
    id: context.ports.ids.next('fault'),
    atMs: context.ports.clock.nowMs(),
    runId: context.runId,
    exchange,
    symbol,
    interval,
    range: page.range,
    attempt: null,
    triesMax: ruleOf(found.code).triesMax,
    decision: found.decision,
    waitMs: null,
    record: toRecord(error),
  };
}
