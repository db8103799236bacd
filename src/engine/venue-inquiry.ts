import type { HttpAnswer } from '../kernel/http.ts';
import type { Ports } from '../kernel/ports.ts';
import type { PageCall } from '../faults/policy/executor.ts';
import { REQUESTS_PER_PAGE_MAX } from '../faults/taxonomy/table.ts';
import type { WeightedRequest } from '../data/exchanges/adapter.ts';
import type { Venue } from './venues.ts';

/** Something to ask a venue that is no part of a run: it leaves nothing in bronze and nothing in the fault log. */
export interface VenueInquiry<T> {
  readonly request: (origin: string) => WeightedRequest;
  /** @throws ExchangeAPIError for an answer that is not what was asked for. */
  readonly read: (answer: HttpAnswer, answeredAtMs: number) => T;
}

/** The inquiry as an executor takes it. */
export const callOf = <T>(
  { clock, http }: Pick<Ports, 'clock' | 'http'>,
  { adapter, origins }: Pick<Venue, 'adapter' | 'origins'>,
  inquiry: VenueInquiry<T>,
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
  read: (answer) => inquiry.read(answer, clock.nowMs()),
  translate: adapter.translate,
  usedWeight: adapter.usedWeight,
  onFailure: () => Promise.resolve(),
});
