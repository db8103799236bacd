import type { HttpAnswer } from '../../../kernel/http.ts';
import { parseRetryAfter } from '../../../faults/policy/retry-after.ts';
import { exchangeError, type AnswerFacts, type ExchangeFaultCode } from '../../../faults/taxonomy/errors.ts';
import { isRecord, readBody, type AnswerBody } from '../answer-body.ts';
import { codeOfStatus } from '../status-class.ts';

const EXCHANGE = 'binance';

/** Binance's own codes. Source: binance-spot-api-docs, errors.md. What is absent is told by the status. */
const BY_VENUE_CODE: Readonly<Record<string, ExchangeFaultCode>> = {
  '-1000': 'EXCHANGE_SERVER_ERROR',
  '-1001': 'EXCHANGE_SERVER_ERROR',
  '-1002': 'UNAUTHORIZED',
  '-1003': 'EXCHANGE_RATE_LIMITED', // with status 418 a ban
  '-1004': 'EXCHANGE_SERVER_ERROR',
  '-1006': 'EXCHANGE_SERVER_ERROR',
  '-1007': 'REQUEST_TIMEOUT',
  '-1008': 'EXCHANGE_SERVER_ERROR',
  '-1015': 'EXCHANGE_RATE_LIMITED',
  '-1016': 'EXCHANGE_MAINTENANCE',
  '-1021': 'UNAUTHORIZED',
  '-1022': 'UNAUTHORIZED',
  '-1100': 'REQUEST_REJECTED',
  '-1101': 'REQUEST_REJECTED',
  '-1102': 'REQUEST_REJECTED',
  '-1103': 'REQUEST_REJECTED',
  '-1104': 'REQUEST_REJECTED',
  '-1105': 'REQUEST_REJECTED',
  '-1106': 'REQUEST_REJECTED',
  '-1108': 'REQUEST_REJECTED',
  '-1111': 'REQUEST_REJECTED',
  '-1120': 'REQUEST_REJECTED',
  '-1121': 'SYMBOL_INVALID',
  '-1127': 'REQUEST_REJECTED',
  '-1128': 'REQUEST_REJECTED',
  '-1130': 'REQUEST_REJECTED',
  '-1135': 'REQUEST_REJECTED',
  '-1151': 'REQUEST_REJECTED',
  '-1220': 'REQUEST_REJECTED',
  '-2014': 'UNAUTHORIZED',
  '-2015': 'UNAUTHORIZED',
};

/** -1008 says the servers are overloaded for some minutes. Unit: milliseconds. */
const OVERLOADED_WAIT_MS = 60_000;

/** "IP banned until 1660090423228": the only place where Binance says when a ban ends to the millisecond. */
const BANNED_UNTIL = /banned until (\d{13})/;

/** 503 bodies and -1016 call it by this word. */
const MAINTENANCE = /maintenance/i;

/** The fault of an answer that is not what was asked for. Total: every status and body has exactly one code. */
export function faultOf(answer: HttpAnswer, nowMs: number, reason?: string): Error {
  const body = readBody(answer);
  const code = codeOf(answer, body);
  const venueCode = venueCodeOf(body);
  const facts: AnswerFacts = { exchange: EXCHANGE, status: answer.status, venueCode, retryAfterMs: waitOf(answer, body, nowMs) };
  return exchangeError(code, `${EXCHANGE} answered ${answer.status}${venueCode === null ? '' : ` code ${venueCode}`}${reason ? `: ${reason}` : ''}`, facts);
}

function codeOf(answer: HttpAnswer, body: AnswerBody): ExchangeFaultCode {
  const { status } = answer;
  if (status === 418 || status === 429 || status === 451) return codeOfStatus(status); // whatever the body adds
  const byVenue = BY_VENUE_CODE[venueCodeOf(body) ?? ''];
  if (byVenue !== undefined) return byVenue;
  if (status === 200 && body.kind === 'truncated') return 'CONNECTION_FAILED';
  if (status === 404 && body.kind !== 'json') return 'REQUEST_REJECTED'; // no API path: our URL is wrong
  if (status === 503 && MAINTENANCE.test(Buffer.from(answer.body).toString('utf8'))) return 'EXCHANGE_MAINTENANCE';
  return codeOfStatus(status);
}

const venueCodeOf = (body: AnswerBody): string | null =>
  body.kind === 'json' && isRecord(body.value) && (typeof body.value['code'] === 'number' || typeof body.value['code'] === 'string') ? String(body.value['code']) : null;

/** The longest wait the answer asks for, from now; null when it asks for none. */
function waitOf(answer: HttpAnswer, body: AnswerBody, nowMs: number): number | null {
  const untilMs = BANNED_UNTIL.exec(Buffer.from(answer.body).toString('utf8'))?.[1];
  const waits = [
    parseRetryAfter(answer.headers['retry-after'], nowMs),
    untilMs === undefined ? null : Math.max(0, Number(untilMs) - nowMs),
    venueCodeOf(body) === '-1008' ? OVERLOADED_WAIT_MS : null,
  ].filter((waitMs) => waitMs !== null);
  return waits.length === 0 ? null : Math.max(...waits);
}
