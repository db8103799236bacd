import type { ExchangeAPIError } from '../../errors/errors.ts';
import type { HttpResponse } from '../../platform/ports/http.ts';
import type { LogFields } from '../../platform/ports/log.ts';
import type { UsedWeight, WeightedRequest } from '../rate-limit/rate-limit.ts';
import type { RetryDecision, StopReason } from './decide.ts';

/** One request for one page, as its adapter describes it. */
export interface PageCall<T> {
  readonly exchange: string;
  /** What the page is about; null for a query about the exchange as a whole. */
  readonly symbol: string | null;
  /** The run that requests it; null outside a run. */
  readonly runId: string | null;
  /** Names the page in log lines. */
  readonly label: LogFields;
  /**
   * The request as it is to be sent to `origin` at `atMs` (wall clock), with its weight. Pure: it is made again
   * after every wait, because time may change both.
   */
  readonly request: (origin: string, atMs: number) => WeightedRequest;
  /** Requests at most, where fewer than the fault table grants are enough. */
  readonly requestsMax: number;
  /**
   * Hosts that serve the same request, at least one. A failed connection moves this page and later ones to the next.
   */
  readonly origins: readonly string[];
  /** The one of `origins` to go on with when another refuses our region (451); null without one. */
  readonly unrestrictedOrigin: string | null;
  /** @throws ExchangeAPIError for a response that does not hold what was requested. */
  readonly read: (response: HttpResponse, answeredAtMs: number) => T;
  /** The fault behind what the transport threw; null for a defect or a cancellation. */
  readonly translate: (error: unknown) => ExchangeAPIError | null;
  readonly usedWeight: (response: HttpResponse) => readonly UsedWeight[];
  /** Called for every failed attempt before any wait, so that the fault log and bronze can keep it. */
  readonly onFailure: (failure: AttemptFailure) => Promise<void>;
}

export interface AttemptFailure {
  readonly fault: ExchangeAPIError;
  readonly decision: RetryDecision;
  /** Requests sent for the page so far, this one included. */
  readonly request: number;
  readonly origin: string;
  readonly url: string;
  /** From sending the request to the end of its response, or to the failure. */
  readonly durationMs: number;
  /** The response that could not be used; null without one. */
  readonly response: HttpResponse | null;
}

/** A page that was read. */
export interface PageRead<T> {
  readonly ok: true;
  readonly value: T;
  readonly response: HttpResponse;
  readonly origin: string;
  readonly url: string;
  /** Wall clock. */
  readonly answeredAtMs: number;
  readonly requests: number;
}

export interface PageStop {
  readonly ok: false;
  readonly fault: ExchangeAPIError;
  readonly why: Exclude<StopReason, 'cancelled'>;
  readonly requests: number;
  /** Not requested again before this wall-clock time; null when the healing schedule decides. */
  readonly notBeforeMs: number | null;
  /** When the breaker lets a page through again; null for every other stop. */
  readonly retryAtMs: number | null;
}

export type PageResult<T> = PageRead<T> | PageStop;
