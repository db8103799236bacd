import type { HttpResponse } from '../../platform/ports/http.ts';
import type { Ports } from '../../platform/ports/ports.ts';
import type { SpanAttributes, Trace } from '../../platform/ports/telemetry.ts';
import type { Series } from '../../domain/candle.ts';
import { bronzeAsset } from '../../domain/assets.ts';
import type { FaultEntry } from '../../state/fault-log.ts';
import type { Executor } from '../../resilience/retry/executor.ts';
import type { AttemptFailure, PageResult } from '../../resilience/retry/page-call.ts';
import { outcomeOf, waitMsOf } from '../../resilience/retry/retry.ts';
import type { WeightedRequest } from '../../resilience/rate-limit/rate-limit.ts';
import type { Limiter } from '../../resilience/policies.ts';
import { toRecord } from '../../errors/fault-record.ts';
import { SchemaMismatchError, type ExchangeAPIError, type Fault } from '../../errors/errors.ts';
import { REQUESTS_PER_PAGE_MAX } from '../../errors/schedule.ts';
import { ruleOf } from '../../errors/table.ts';
import type { ExchangeAdapter, Page } from '../../exchanges/adapter.ts';
import type { BronzeWriter } from './writer.ts';

/** Observes the pages of a run: before the first request of a page, and after its last response. */
export interface PageObserver {
  readonly begun: (page: Page) => void;
  readonly ended: (page: Page, as: 'answered' | 'failed') => void;
}

/** Everything that one run needs for requests to one venue. */
export interface QueryContext {
  readonly ports: Ports;
  readonly adapter: ExchangeAdapter;
  readonly executor: Executor;
  readonly limiter: Pick<Limiter, 'learn' | 'knows'>;
  /** Hosts, the preferred first. */
  readonly origins: readonly string[];
  readonly writer: BronzeWriter;
  readonly runId: string;
  readonly signal: AbortSignal;
  readonly pages: PageObserver;
  /** The span of the asset. */
  readonly trace: Trace;
}

/** One query to an exchange. */
export interface ExchangeQuery<T> {
  /** The requested page; null for a query about the exchange as a whole. */
  readonly page: Page | null;
  /** Requests at most, where fewer than the fault table grants are enough. */
  readonly requestsMax?: number;
  readonly request: (origin: string, atMs: number) => WeightedRequest;
  /** @throws ExchangeAPIError for a response that does not hold what was requested. */
  readonly read: (response: HttpResponse, answeredAtMs: number) => T;
}

export type ExchangeResponse<T> = PageResult<T>;

/**
 * Sends a query under the fault table, in its own span. Every failed attempt is written to the fault log, and its
 * response to bronze, before any wait.
 */
export async function queryExchange<T>(context: QueryContext, query: ExchangeQuery<T>): Promise<ExchangeResponse<T>> {
  const { adapter, executor } = context;
  const { page } = query;
  return context.trace.span(page === null ? 'question' : 'page', factsOf(context, page), async (span) => {
    const result = await executor.execute(
      {
        exchange: adapter.exchange,
        symbol: page?.series.symbol ?? null,
        runId: context.runId,
        label:
          page === null
            ? {}
            : {
                asset: bronzeAsset(adapter.exchange),
                symbol: page.series.symbol,
                interval: page.series.interval,
                from: new Date(page.range.fromMs).toISOString(),
                to: new Date(page.range.toMs).toISOString(),
              },
        request: query.request,
        requestsMax: query.requestsMax ?? REQUESTS_PER_PAGE_MAX,
        origins: context.origins,
        unrestrictedOrigin: adapter.unrestrictedOrigin,
        read: query.read,
        translate: adapter.translate,
        usedWeight: adapter.usedWeight,
        onFailure: (failure) => {
          const { fault, request, decision } = failure;
          span.event('attempt failed', {
            code: fault.code,
            request,
            decision: outcomeOf(decision),
            ...(decision.do === 'retry' ? { wait_ms: decision.waitMs } : {}),
          });
          return keepFailure(context, page, failure);
        },
      },
      context.signal,
    );
    if (!result.ok) span.fail(result.fault.code);
    return result;
  });
}

const factsOf = ({ runId, adapter }: QueryContext, page: Page | null): SpanAttributes => ({
  run: runId,
  exchange: adapter.exchange,
  ...(page === null
    ? {}
    : {
        symbol: page.series.symbol,
        interval: page.series.interval,
        from: new Date(page.range.fromMs).toISOString(),
        to: new Date(page.range.toMs).toISOString(),
      }),
});

async function keepFailure(context: QueryContext, page: Page | null, failure: AttemptFailure): Promise<void> {
  const { fault, decision, response, url } = failure;
  const atMs = context.ports.clock.nowMs();
  const entry: FaultEntry = {
    id: context.ports.ids.next('fault'),
    atMs,
    runId: context.runId,
    exchange: context.adapter.exchange,
    symbol: page?.series.symbol ?? null,
    interval: page?.series.interval ?? null,
    range: page?.range ?? null,
    attempt: failure.request,
    triesMax: decision.do === 'retry' ? decision.triesMax : ruleOf(fault.code).triesMax,
    decision: outcomeOf(decision),
    waitMs: waitMsOf(decision),
    record: toRecord(fault),
  };
  const rejected =
    response === null || page === null
      ? null
      : { page, url, response, fetchedAtMs: atMs, rejected: fault.code, openTimesMs: [] };
  await context.writer.keep(rejected, [entry]);
}

/** Whether the venue's own symbol list has the symbol; a failure when the list cannot be fetched or is empty. */
export function isListed(context: QueryContext, series: Series): Promise<ExchangeResponse<boolean>> {
  return queryExchange(context, {
    page: { series, range: { fromMs: 0, toMs: context.ports.clock.nowMs() } },
    request: (origin) => context.adapter.symbolsRequest(origin),
    read: (response, answeredAtMs) => {
      const { listings } = context.adapter.readSymbols(response, answeredAtMs);
      if (listings.length > 0) return listings.some((listing) => listing.symbol === series.symbol);
      throw new SchemaMismatchError(`${series.exchange} lists no symbol at all`, {
        exchange: series.exchange,
        status: response.status,
        venueCode: null,
        retryAfterMs: null,
      });
    },
  });
}

/** True for a fault that concerns every symbol of the asset and every other request to that venue. */
export const endsAsset = (fault: Fault): boolean =>
  ['asset-fails', 'run-stops'].includes(ruleOf(fault.code).consequence);

/** A venue can be used without its stated limits, so few attempts are enough. */
const LIMITS_REQUESTS_MAX = 2;

/**
 * Fetches a venue's limits unless they are known. Returns the fault if the venue refuses every request. After any
 * other failure the known limits stay in force and the next run tries again.
 */
export async function learnLimits(context: QueryContext): Promise<ExchangeAPIError | null> {
  const { adapter, limiter, origins } = context;
  const origin = origins[0] ?? '';
  if (await limiter.knows(origin)) return null;
  const stated = await queryExchange(context, {
    page: null,
    requestsMax: LIMITS_REQUESTS_MAX,
    request: (host) => adapter.symbolsRequest(host),
    read: (response, answeredAtMs) => adapter.readSymbols(response, answeredAtMs).limits,
  });
  if (stated.ok) await limiter.learn(stated.value, origin);
  else if (endsAsset(stated.fault)) return stated.fault;
  else if (stated.why === 'permanent') await limiter.learn([], origin); // it has no such list
  return null;
}
