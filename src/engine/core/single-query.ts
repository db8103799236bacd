import type { HttpResponse } from '../../platform/ports/http.ts';
import type { Ports } from '../../platform/ports/ports.ts';
import type { PageCall } from '../../resilience/retry/executor.ts';
import { REQUESTS_PER_PAGE_MAX } from '../../errors/table.ts';
import type { WeightedRequest } from '../../exchanges/adapter.ts';
import type { Venue } from './exchanges.ts';

/** A query outside of runs: its response is not kept in bronze and its faults are not in the fault log. */
export interface SingleQuery<T> {
  readonly request: (origin: string) => WeightedRequest;
  /** @throws ExchangeAPIError for a response that does not answer the request. */
  readonly read: (response: HttpResponse, answeredAtMs: number) => T;
}

/** The query in the form the executor takes. */
export const singleCall = <T>(
  { clock, http }: Pick<Ports, 'clock' | 'http'>,
  { adapter, origins }: Pick<Venue, 'adapter' | 'origins'>,
  query: SingleQuery<T>,
): PageCall<T> => ({
  exchange: adapter.exchange,
  symbol: null,
  runId: null,
  requestsMax: REQUESTS_PER_PAGE_MAX,
  label: {},
  weight: query.request('').weight,
  origins,
  unrestrictedOrigin: adapter.unrestrictedOrigin,
  send: (origin, signal) => http.get(query.request(origin), signal),
  read: (response) => query.read(response, clock.nowMs()),
  translate: adapter.translate,
  usedWeight: adapter.usedWeight,
  onFailure: () => Promise.resolve(),
});
