import type { Series } from '../../market/candle.ts';
import { gridOf, hullOf, type TimeRange } from '../../market/range.ts';
import type { FaultEntry } from '../../faults/ledger/fault-log.ts';
import { firstCandleOf, recordFirstCandle, removeSymbol } from '../../faults/ledger/symbols.ts';
import { SchemaMismatchError, ValidationError, type ExchangeAPIError } from '../../faults/taxonomy/errors.ts';
import { ruleOf } from '../../faults/taxonomy/table.ts';
import { toRecord } from '../../faults/taxonomy/records.ts';
import type { DeliveredRow, Page } from '../exchanges/adapter.ts';
import { planPages } from '../exchanges/planner.ts';
import { judgeRow } from '../quality/row-rules.ts';
import { askVenue, isListed, type VenueAnswer, type VenueContext } from './venue-request.ts';

/** A stretch of a series that stays without an answer, and what ended the attempts. */
export interface PageFailure {
  readonly range: TimeRange;
  readonly fault: ExchangeAPIError;
  /** The venue's word, or what our deadline left over: nobody asks before. Null when healing decides. */
  readonly notBeforeMs: number | null;
}

/** What one run got of one series. */
export interface SeriesFetch {
  readonly pagesAnswered: number;
  readonly rowsDelivered: number;
  /** Rows that break a rule, before the second look. */
  readonly rowsInvalid: number;
  readonly rowsStored: number;
  readonly duplicates: number;
  readonly failures: readonly PageFailure[];
}

/** So many pages of one series failing in a row end the series for this run: the venue will not answer the rest either. */
const FAILED_PAGES_IN_ROW_MAX = 2;

/**
 * Asks for `ranges` of one series, page by page; each answer is durable before the next is asked. A
 * page that fails for good leaves its own range without answer and no other.
 * @throws ExchangeAPIError with a code that ends more than this series (FORBIDDEN, UNAUTHORIZED, SYMBOL_INVALID).
 */
export async function fetchSeries(context: VenueContext, series: Series, ranges: readonly TimeRange[]): Promise<SeriesFetch> {
  const pages = planPages(series, ranges, context.adapter.rowsPerPageMax);
  const total = { pagesAnswered: 0, rowsDelivered: 0, rowsInvalid: 0, rowsStored: 0, duplicates: 0 };
  const failures: PageFailure[] = [];
  let failedInRow = 0;
  for (const [at, page] of pages.entries()) {
    const fetched = await fetchPage(context, page);
    total.pagesAnswered += fetched.failure === null ? 1 : 0;
    total.rowsDelivered += fetched.rowsDelivered;
    total.rowsInvalid += fetched.rowsInvalid;
    total.rowsStored += fetched.rowsStored;
    total.duplicates += fetched.duplicates;
    context.onPage(page);
    if (fetched.failure === null) {
      failedInRow = 0;
      continue;
    }
    failures.push(fetched.failure);
    failedInRow += 1;
    if (fetched.failure.notBeforeMs !== null || failedInRow >= FAILED_PAGES_IN_ROW_MAX) {
      const { failure } = fetched;
      failures.push(...pages.slice(at + 1).map((rest) => ({ ...failure, range: rest.range })));
      break;
    }
  }
  return { ...total, failures };
}

interface PageFetch {
  readonly rowsDelivered: number;
  readonly rowsInvalid: number;
  readonly rowsStored: number;
  readonly duplicates: number;
  readonly failure: PageFailure | null;
}

/** One page, and one more look at what its answer did not have or had wrong. */
async function fetchPage(context: VenueContext, page: Page): Promise<PageFetch> {
  const first = await askForCandles(context, page);
  if (!first.ok) return { rowsDelivered: 0, rowsInvalid: 0, rowsStored: 0, duplicates: 0, failure: first.failure };
  const found = inspect(context, page, first.rows);
  const counted = { rowsDelivered: first.rows.length, rowsInvalid: found.invalid, rowsStored: found.valid.size, duplicates: found.duplicates };
  const lacking = await lackingCandles(context, page, found);
  await logFindings(context, page, { found, lacking, fate: { missing: 'asked again', invalid: 'asked again' } });
  const again = hullOf(lacking, page.series.interval);
  if (again === null) return { ...counted, failure: null };

  const secondPage = { series: page.series, range: again };
  const second = await askForCandles(context, secondPage);
  if (!second.ok) return { ...counted, failure: second.failure };
  const foundAgain = inspect(context, secondPage, second.rows);
  const left = lacking.filter((openTimeMs) => !foundAgain.valid.has(openTimeMs));
  await logFindings(context, secondPage, { found: foundAgain, lacking: left, fate: { missing: 'pending', invalid: 'quarantined' } });
  return {
    rowsDelivered: counted.rowsDelivered + second.rows.length,
    rowsInvalid: counted.rowsInvalid + foundAgain.invalid,
    rowsStored: found.valid.union(foundAgain.valid).size,
    duplicates: counted.duplicates + foundAgain.duplicates,
    failure: null,
  };
}

type CandleAnswer = { readonly ok: true; readonly rows: readonly DeliveredRow[] } | { readonly ok: false; readonly failure: PageFailure };

/** @throws ExchangeAPIError when the fault concerns more than this page (FORBIDDEN, UNAUTHORIZED, SYMBOL_INVALID). */
async function askForCandles(context: VenueContext, page: Page): Promise<CandleAnswer> {
  const { adapter } = context;
  const result = await askVenue(context, {
    page,
    request: (origin) => adapter.candlesRequest(origin, page),
    read: (answer, answeredAtMs) => adapter.readCandles(page, answer, answeredAtMs),
  });
  if (!result.ok) return { ok: false, failure: await failureOf(context, page, result) };
  await context.writer.keep({ page, url: result.url, answer: result.answer, fetchedAtMs: result.answeredAtMs, rejected: null, rows: result.value.length });
  return { ok: true, rows: result.value };
}

async function failureOf(context: VenueContext, page: Page, failed: Extract<VenueAnswer<unknown>, { ok: false }>): Promise<PageFailure> {
  const { consequence } = ruleOf(failed.fault.code);
  if (consequence === 'asset-fails' || consequence === 'run-stops') throw failed.fault;
  if (consequence === 'removed') return confirmRemoval(context, page, failed.fault);
  return { range: page.range, fault: failed.fault, notBeforeMs: failed.notBeforeMs };
}

/**
 * A symbol is removed only when the venue's own list, read now, does not have it either; a venue that
 * contradicts itself is a wrong answer, and the candles stay pending.
 * @throws SymbolInvalidError (SYMBOL_INVALID) once the removal is stored.
 */
async function confirmRemoval(context: VenueContext, page: Page, fault: ExchangeAPIError): Promise<PageFailure> {
  const { ports } = context;
  const { exchange, symbol } = page.series;
  const listed = await isListed(context, page.series);
  if (!listed.ok) return { range: page.range, fault: listed.fault, notBeforeMs: listed.notBeforeMs };
  if (listed.value) {
    const message = `${exchange} calls ${symbol} invalid, but lists it`;
    return { range: page.range, fault: new SchemaMismatchError(message, fault.facts, { cause: fault }), notBeforeMs: null };
  }
  const removed = { exchange, symbol, code: fault.code, reason: `${exchange} does not list it`, changedAtMs: ports.clock.nowMs() };
  await ports.store.transact('removeSymbol', () => removeSymbol(removed));
  throw fault;
}

interface Inspection {
  /** Open times with a row that breaks no rule. */
  readonly valid: ReadonlySet<number>;
  /** Grid points of the page without such a row. */
  readonly missing: readonly number[];
  readonly invalid: number;
  readonly duplicates: number;
}

function inspect(context: VenueContext, page: Page, rows: readonly DeliveredRow[]): Inspection {
  const fetchedAtMs = context.ports.clock.nowMs();
  const good = rows.filter((row) => judgeRow(row, page.series, { fetchedAtMs }).errors.length === 0);
  const valid = new Set(good.map((row) => row.openTimeMs));
  return {
    valid,
    missing: gridOf(page.range, page.series.interval).filter((openTimeMs) => !valid.has(openTimeMs)),
    invalid: rows.length - good.length,
    duplicates: rows.length - new Set(rows.map((row) => row.openTimeMs)).size,
  };
}

/** Candles inside the listed life that the answer did not bring. */
async function lackingCandles(context: VenueContext, page: Page, found: Inspection): Promise<readonly number[]> {
  const isHeadMissing = found.missing.length > 0 && found.missing[0] === gridOf(page.range, page.series.interval)[0];
  const firstMs = isHeadMissing ? await firstCandle(context, page.series) : null;
  return firstMs === null ? found.missing : found.missing.filter((openTimeMs) => openTimeMs >= firstMs);
}

/** Open time of the series' first candle ever, asked once and remembered; null while no venue has told. */
async function firstCandle(context: VenueContext, series: Series): Promise<number | null> {
  const { adapter, ports } = context;
  const known = await ports.store.read('firstCandleOf', () => firstCandleOf(series));
  if (known !== null) return known.openMs;
  const nowMs = ports.clock.nowMs();
  const result = await askVenue(context, {
    page: { series, range: { fromMs: 0, toMs: nowMs } },
    request: (origin) => adapter.firstCandleRequest(origin, series),
    read: (answer, answeredAtMs) => adapter.readFirstCandle(answer, answeredAtMs),
  });
  if (!result.ok || result.value === null) return null;
  const openMs = result.value;
  await ports.store.transact('recordFirstCandle', () => recordFirstCandle(series, { openMs, seenAtMs: nowMs }));
  return openMs;
}

interface Findings {
  readonly found: Inspection;
  readonly lacking: readonly number[];
  /** What becomes of the candles. */
  readonly fate: { readonly missing: string; readonly invalid: string };
}

/** Puts what was wrong with the data of one answer into the fault log: each code once with its count. */
async function logFindings(context: VenueContext, page: Page, { found, lacking, fate }: Findings): Promise<void> {
  const absent = lacking.length - Math.min(found.invalid, lacking.length);
  const faults = [
    ...(found.invalid > 0 ? [dataFault(context, page, { code: 'ROWS_INVALID', message: `${found.invalid} rows break a rule`, rows: found.invalid, decision: fate.invalid })] : []),
    ...(absent > 0 ? [dataFault(context, page, { code: 'ROWS_MISSING', message: `${absent} candles are not in the answer`, rows: absent, decision: fate.missing })] : []),
    ...(found.duplicates > 0 ? [dataFault(context, page, { code: 'ROWS_DUPLICATE', message: `${found.duplicates} rows came twice`, rows: found.duplicates, decision: 'last kept' })] : []),
  ];
  if (faults.length > 0) await context.writer.keep(null, faults);
}

function dataFault(context: VenueContext, page: Page, found: { code: 'ROWS_INVALID' | 'ROWS_MISSING' | 'ROWS_DUPLICATE'; message: string; rows: number; decision: string }): FaultEntry {
  const { exchange, symbol, interval } = page.series;
  const error = new ValidationError(found.code, `${exchange} ${symbol} ${interval}: ${found.message}`, { exchange, symbol, interval, rows: found.rows });
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
