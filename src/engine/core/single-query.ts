import type { HttpResponse } from '../../platform/ports/http.ts';
import type { PageCall } from '../../resilience/retry/page-call.ts';
import type { WeightedRequest } from '../../resilience/rate-limit/rate-limit.ts';
import { REQUESTS_PER_PAGE_MAX } from '../../errors/schedule.ts';
import type { Venue } from './exchanges.ts';

/** A query outside of runs: its response is not kept in bronze and its faults are not in the fault log. */
export interface SingleQuery<T> {
  readonly request: (origin: string) => WeightedRequest;
  /** @throws ExchangeAPIError for a response that does not answer the request. */
  readonly read: (response: HttpResponse, answeredAtMs: number) => T;
}

/** The query in the form the executor takes. */
export const singleCall = <T>(
  { adapter, origins }: Pick<Venue, 'adapter' | 'origins'>,
  query: SingleQuery<T>,
): PageCall<T> => ({
  exchange: adapter.exchange,
  symbol: null,
  runId: null,
  requestsMax: REQUESTS_PER_PAGE_MAX,
  label: {},
  request: query.request,
  origins,
  unrestrictedOrigin: adapter.unrestrictedOrigin,
  read: query.read,
  translate: adapter.translate,
  usedWeight: adapter.usedWeight,
  onFailure: () => Promise.resolve(),
});
