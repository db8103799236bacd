import type { HttpAnswer } from '../platform/ports/http.ts';
import type { Exchange } from '../domain/exchange.ts';
import { parseRetryAfter } from '../resilience/retry/retry-after.ts';
import { exchangeError, type AnswerFacts, type ExchangeFaultCode } from '../errors/errors.ts';
import { readBody, type AnswerBody } from './response-body.ts';
import { codeOfStatus } from './status-class.ts';

/** What the body of an answer says beyond its status, in a venue's own words. */
export interface BodyWord {
  /** The venue's code, as text; null without one. */
  readonly venueCode: string | null;
  /** What it means; null where the status decides. */
  readonly code: ExchangeFaultCode | null;
  /** How long the body asks us to stay away, from now. Unit: milliseconds. */
  readonly waitMs: number | null;
}

export interface VenueWords {
  readonly exchange: Exchange;
  /** How long after its close a candle may still change. Unit: milliseconds. */
  readonly graceMs: number;
  readonly read: (answer: HttpAnswer, body: AnswerBody, nowMs: number) => BodyWord;
}

/** Bodies of a 503 call it by this word. */
const MAINTENANCE = /maintenance/i;

/**
 * The fault of an answer that is not what was asked for. Total: every status and body has exactly one
 * code. First what the body says, then the class of the status; only what bans, throttles or refuses a
 * region is believed whatever the body adds.
 */
export function answerFault(
  words: VenueWords,
  {
    answer,
    nowMs,
    reason,
  }: { readonly answer: HttpAnswer; readonly nowMs: number; readonly reason?: string | undefined },
): Error {
  const body = readBody(answer);
  const said = words.read(answer, body, nowMs);
  const waits = [parseRetryAfter(answer.headers['retry-after'], nowMs), said.waitMs].filter(
    (waitMs) => waitMs !== null,
  );
  const facts: AnswerFacts = {
    exchange: words.exchange,
    status: answer.status,
    venueCode: said.venueCode,
    retryAfterMs: waits.length === 0 ? null : Math.max(...waits),
  };
  const message = `${words.exchange} answered ${answer.status}${said.venueCode === null ? '' : ` code ${said.venueCode}`}${reason ? `: ${reason}` : ''}`;
  return exchangeError(codeOf(answer, body, said.code), message, facts);
}

function codeOf(answer: HttpAnswer, body: AnswerBody, said: ExchangeFaultCode | null): ExchangeFaultCode {
  const { status } = answer;
  if (status === 418 || status === 451) return codeOfStatus(status);
  if (status === 429 && said !== 'EXCHANGE_IP_BANNED') return codeOfStatus(status);
  if (said !== null) return said;
  if (status === 200 && body.kind === 'truncated') return 'CONNECTION_FAILED';
  if (status === 404 && body.kind !== 'json') return 'REQUEST_REJECTED'; // no API path: our URL is wrong
  if (status === 503 && MAINTENANCE.test(Buffer.from(answer.body).toString('utf8'))) return 'EXCHANGE_MAINTENANCE';
  return codeOfStatus(status);
}

const BODY_SAYS = {
  markup: 'a web page instead of data',
  empty: 'an empty body',
  truncated: 'JSON that is cut off or garbled',
  text: 'text instead of data',
} as const;

/** The JSON of a 200. @throws ExchangeAPIError for every other status and body. */
export function jsonOf(words: VenueWords, answer: HttpAnswer, nowMs: number): unknown {
  if (answer.status !== 200) throw answerFault(words, { answer, nowMs });
  const body = readBody(answer);
  if (body.kind !== 'json') throw answerFault(words, { answer, nowMs, reason: BODY_SAYS[body.kind] });
  return body.value;
}
