import type { HttpResponse } from '../../platform/ports/http.ts';
import type { Ports } from '../../platform/ports/ports.ts';
import type { PageCall } from '../../resilience/retry/executor.ts';
import { REQUESTS_PER_PAGE_MAX } from '../../errors/table.ts';
import type { WeightedRequest } from '../../exchanges/adapter.ts';
import type { Venue } from './exchanges.ts';

/** Something to ask a venue that is no part of a run: it leaves nothing in bronze and nothing in the fault log. */
export interface SingleQuery<T> {
  readonly request: (origin: string) => WeightedRequest;
  /** @throws ExchangeAPIError for an answer that is not what was asked for. */
  readonly read: (response: HttpResponse, answeredAtMs: number) => T;
}

/** The inquiry as an executor takes it. */
export const singleCall = <T>(
  { clock, http }: Pick<Ports, 'clock' | 'http'>,
  { adapter, origins }: Pick<Venue, 'adapter' | 'origins'>,
  inquiry: SingleQuery<T>,
): PageCall<T> => ({
  exchange: adapter.exchange,
  symbol: null,
  runId: null,
  requestsMax: REQUESTS_PER_PAGE_MAX,
  label: {},
  weight: inquiry.request('').weight,
  origins,
  unrestrictedOrigin: adapter.unrestrictedOrigin,
  send: (origin, signal) => http.get(inquiry.request(origin), signal),
  read: (response) => inquiry.read(response, clock.nowMs()),
  translate: adapter.translate,
  usedWeight: adapter.usedWeight,
  onFailure: () => Promise.resolve(),
});
