import type { ExchangeFaultCode } from '../errors/errors.ts';

/**
 * Statuses with a meaning of their own. Source: RFC 9110 section 15; Binance rest-api.md for 418; Cloudflare's 5xx
 * documentation for 522 and 524.
 */
const BY_STATUS: Readonly<Record<number, ExchangeFaultCode>> = {
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  407: 'CONNECTION_FAILED',
  408: 'REQUEST_TIMEOUT',
  418: 'EXCHANGE_IP_BANNED',
  425: 'CONNECTION_FAILED',
  429: 'EXCHANGE_RATE_LIMITED',
  451: 'FORBIDDEN',
  504: 'REQUEST_TIMEOUT',
  511: 'CONNECTION_FAILED',
  522: 'REQUEST_TIMEOUT',
  524: 'REQUEST_TIMEOUT',
};

/** The code of a status, for a body that says nothing more precise. A 200 with an unusable body is SCHEMA_MISMATCH. */
export function codeOfStatus(status: number): ExchangeFaultCode {
  const known = BY_STATUS[status];
  if (known !== undefined) return known;
  if (status >= 500) return 'EXCHANGE_SERVER_ERROR';
  return status >= 400 ? 'REQUEST_REJECTED' : 'SCHEMA_MISMATCH';
}
