import type { HttpAnswer } from '../../kernel/http.ts';
import type { Ports } from '../../kernel/ports.ts';
import type { Series } from '../../market/candle.ts';
import type { FaultEntry } from '../../faults/ledger/fault-log.ts';
import type { AttemptFailure, Executor, PageResult } from '../../faults/policy/executor.ts';
import { toRecord } from '../../faults/taxonomy/records.ts';
import { ruleOf } from '../../faults/taxonomy/table.ts';
import type { ExchangeAdapter, Page, WeightedRequest } from '../exchanges/adapter.ts';
import type { BronzeWriter } from './writer.ts';

/** What one run needs to ask one venue. */
export interface VenueContext {
  readonly ports: Ports;
  readonly adapter: ExchangeAdapter;
  readonly executor: Executor;
  /** Hosts to ask, the preferred first. */
  readonly origins: readonly string[];
  readonly writer: BronzeWriter;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly onPage: (page: Page) => void;
}

/** One question to a venue, on behalf of a page. */
export interface VenueQuestion<T> {
  readonly page: Page;
  readonly request: (origin: string, askedAtMs: number) => WeightedRequest;
  /** @throws ExchangeAPIError for an answer that is not what was asked for. */
  readonly read: (answer: HttpAnswer, answeredAtMs: number) => T;
}

export type VenueAnswer<T> =
  | { readonly ok: true; readonly value: T; readonly answer: HttpAnswer; readonly url: string; readonly answeredAtMs: number }
  | Extract<PageResult<T>, { readonly ok: false }>;

/** Asks under the fault table. Every failed attempt is in the fault log, and its answer in bronze, before any wait. */
export async function askVenue<T>(context: VenueContext, question: VenueQuestion<T>): Promise<VenueAnswer<T>> {
  const { adapter, executor, ports } = context;
  const { page } = question;
  const { symbol, interval } = page.series;
  let answeredAtMs = 0;
  let asked = question.request('', ports.clock.nowMs());
  const result = await executor.execute(
    {
      exchange: adapter.exchange,
      label: { symbol, interval, from: new Date(page.range.fromMs).toISOString(), run: context.runId },
      weight: asked.weight,
      origins: context.origins,
      unrestrictedOrigin: adapter.unrestrictedOrigin,
      send: (origin, signal) => {
        asked = question.request(origin, ports.clock.nowMs());
        return ports.http.get(asked, signal);
      },
      read: (answer) => {
        answeredAtMs = ports.clock.nowMs();
        return question.read(answer, answeredAtMs);
      },
      translate: adapter.translate,
      usedWeight: adapter.usedWeight,
      onFailure: (failure) => keepFailure(context, { page, url: asked.url }, failure),
    },
    context.signal,
  );
  if (!result.ok) return result;
  return { ok: true, value: result.value, answer: result.answer, url: asked.url, answeredAtMs };
}

async function keepFailure(context: VenueContext, { page, url }: { readonly page: Page; readonly url: string }, failure: AttemptFailure): Promise<void> {
  const { fault, decision, answer } = failure;
  const atMs = context.ports.clock.nowMs();
  const entry: FaultEntry = {
    id: context.ports.ids.next('fault'),
    atMs,
    runId: context.runId,
    exchange: context.adapter.exchange,
    symbol: page.series.symbol,
    interval: page.series.interval,
    range: page.range,
    attempt: failure.request,
    triesMax: decision.do === 'retry' ? decision.triesMax : ruleOf(fault.code).triesMax,
    decision: decision.do === 'retry' ? 'retry' : decision.why,
    waitMs: decision.do === 'retry' ? decision.waitMs : decision.notBeforeInMs,
    record: toRecord(fault),
  };
  const rejected = answer === null ? null : { page, url, answer, fetchedAtMs: atMs, rejected: fault.code, openTimesMs: [] };
  await context.writer.keep(rejected, [entry]);
}

/** Whether the venue's own symbol list has the symbol; the failure when the list cannot be had. */
export function isListed(context: VenueContext, series: Series): Promise<VenueAnswer<boolean>> {
  return askVenue(context, {
    page: { series, range: { fromMs: 0, toMs: context.ports.clock.nowMs() } },
    request: (origin) => context.adapter.symbolsRequest(origin),
    read: (answer, answeredAtMs) => context.adapter.readSymbols(answer, answeredAtMs).listings.some((listing) => listing.symbol === series.symbol),
  });
}

