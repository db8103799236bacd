import type { HttpResponse } from '../platform/ports/http.ts';
import type { Exchange } from '../domain/exchange.ts';
import { parseRetryAfter } from '../resilience/retry/retry-after.ts';
import { exchangeError, type ExchangeAPIError, type ResponseFacts, type ExchangeFaultCode } from '../errors/errors.ts';
import { readBody, type ResponseBody } from './response-body.ts';
import { codeOfStatus } from './status-class.ts';

/** What the body of an error response says beyond its status. */
export interface BodyError {
  /** The exchange's code, as text; null without one. */
  readonly venueCode: string | null;
  /** The fault it means; null where the status decides. */
  readonly code: ExchangeFaultCode | null;
  /** How long the body asks us to stay away, from now. Unit: milliseconds. */
  readonly waitMs: number | null;
}

export interface ErrorMapping {
  readonly exchange: Exchange;
  /** How long after its close a candle may still change. Unit: milliseconds. */
  readonly graceMs: number;
  readonly read: (response: HttpResponse, body: ResponseBody, nowMs: number) => BodyError;
}

/**
 * The only sign that a 503 without a code means maintenance and not overload. CONTRIBUTING.md allows this decision by
 * text, because such a body has no other field.
 */
const MAINTENANCE = /maintenance/i;

/**
 * The fault of a response that does not hold what was requested. Total: every status and body has exactly one
 * code. The body decides first, then the class of the status; a ban, throttling and a refused region are decided by
 * the status alone.
 */
export function responseError(
  mapping: ErrorMapping,
  {
    response,
    nowMs,
    reason,
  }: { readonly response: HttpResponse; readonly nowMs: number; readonly reason?: string | undefined },
): ExchangeAPIError {
  const body = readBody(response);
  const stated = mapping.read(response, body, nowMs);
  const waits = [parseRetryAfter(response.headers['retry-after'], nowMs), stated.waitMs].filter(
    (waitMs) => waitMs !== null,
  );
  const facts: ResponseFacts = {
    exchange: mapping.exchange,
    status: response.status,
    venueCode: stated.venueCode,
    retryAfterMs: waits.length === 0 ? null : Math.max(...waits),
  };
  const code = stated.venueCode === null ? '' : ` code ${stated.venueCode}`;
  const message = `${mapping.exchange} answered ${response.status}${code}${reason ? `: ${reason}` : ''}`;
  return exchangeError(codeOf(response, body, stated.code), message, facts);
}

function codeOf(response: HttpResponse, body: ResponseBody, stated: ExchangeFaultCode | null): ExchangeFaultCode {
  const { status } = response;
  if (status === 418 || status === 451) return codeOfStatus(status);
  if (status === 429 && stated !== 'EXCHANGE_IP_BANNED') return codeOfStatus(status);
  if (stated !== null) return stated;
  if (status === 200 && body.kind === 'truncated') return 'CONNECTION_FAILED';
  if (status === 404 && body.kind !== 'json') return 'REQUEST_REJECTED'; // no API path: our URL is wrong
  if (status === 503 && MAINTENANCE.test(Buffer.from(response.body).toString('utf8'))) return 'EXCHANGE_MAINTENANCE';
  return codeOfStatus(status);
}

const BODY_SAYS = {
  markup: 'a web page instead of data',
  empty: 'an empty body',
  truncated: 'JSON that is cut off or garbled',
  text: 'text instead of data',
} as const;

/** The JSON of a 200. @throws ExchangeAPIError for every other status and body. */
export function jsonOf(mapping: ErrorMapping, response: HttpResponse, nowMs: number): unknown {
  if (response.status !== 200) throw responseError(mapping, { response, nowMs });
  const body = readBody(response);
  if (body.kind !== 'json') throw responseError(mapping, { response, nowMs, reason: BODY_SAYS[body.kind] });
  return body.value;
}
