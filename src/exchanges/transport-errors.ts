import { BodyTooLargeError } from '../platform/body-limit.ts';
import { exchangeError, type ExchangeAPIError, type ResponseFacts, type ExchangeFaultCode } from '../errors/errors.ts';

/** Error codes of Node and undici for a timeout. */
const TIMEOUT_CODES = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** Codes for a connection that failed or broke. Source: Node's errors.md and undici's Errors.md. */
const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EPIPE',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'EADDRNOTAVAIL',
  'EPROTO',
  'UND_ERR_SOCKET',
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_REQ_RETRY',
  'Z_BUF_ERROR',
  'Z_DATA_ERROR',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
]);
/** undici's code for a proxy that refuses to tunnel, an `AbortError`. Our own aborts carry a reason of ours instead. */
const TUNNEL_REFUSED = 'UND_ERR_ABORTED';
/** Families of codes: TLS, certificates, the HTTP parser. */
const CONNECTION_PREFIXES = ['ERR_TLS_', 'ERR_SSL_', 'CERT_', 'HPE_'];

/** The codes of an error and of its causes; a refused connection to several addresses hides them one level down. */
function codesOf(error: Error): string[] {
  const inner = [error.cause, ...(error instanceof AggregateError ? (error.errors as unknown[]) : [])].filter((one) =>
    Error.isError(one),
  );
  const { code } = error as { readonly code?: unknown }; // a DOMException has a number
  return [...(typeof code === 'string' ? [code] : []), ...inner.flatMap(codesOf)];
}

/** The fault of `exchange` for an error of the transport; null for any other error. */
export function translateTransport(error: unknown, exchange: string): ExchangeAPIError | null {
  if (!Error.isError(error)) return null;
  const codes = codesOf(error);
  const facts: ResponseFacts = { exchange, status: null, venueCode: codes[0] ?? null, retryAfterMs: null };
  const fault = (code: ExchangeFaultCode, says: string): ExchangeAPIError =>
    exchangeError(code, `${exchange} ${says} (${codes[0] ?? error.name})`, facts, { cause: error });
  if (error.name === 'TimeoutError' || codes.some((code) => TIMEOUT_CODES.has(code)))
    return fault('REQUEST_TIMEOUT', 'did not answer in time');
  if (error instanceof BodyTooLargeError) return fault('SCHEMA_MISMATCH', 'sent a larger body than any valid response');
  if (codes.some(isConnectionCode)) return fault('CONNECTION_FAILED', 'cannot be reached');
  return null;
}

const isConnectionCode = (code: string): boolean =>
  code === TUNNEL_REFUSED ||
  CONNECTION_CODES.has(code) ||
  CONNECTION_PREFIXES.some((prefix) => code.startsWith(prefix));
