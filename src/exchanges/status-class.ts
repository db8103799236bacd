import type { ExchangeFaultCode } from '../errors/errors.ts';

/** Statuses whose meaning no class of hundred gives. Source: DESIGN section 2. */
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

/** The code of an answer by its status alone, once its body has said nothing more precise. 200 with an unusable body is SCHEMA_MISMATCH. */
export function codeOfStatus(status: number): ExchangeFaultCode {
  const known = BY_STATUS[status];
  if (known !== undefined) return known;
  if (status >= 500) return 'EXCHANGE_SERVER_ERROR';
  return status >= 400 ? 'REQUEST_REJECTED' : 'SCHEMA_MISMATCH';
}
