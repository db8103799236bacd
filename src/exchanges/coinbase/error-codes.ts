import type { ExchangeFaultCode } from '../../errors/errors.ts';
import { isRecord, type ResponseBody } from '../response-body.ts';
import type { BodyError, ErrorMapping } from '../response-errors.ts';

/** Without a key a 401 on public candles is throttling. Source: coinbase-advanced-py issue 60. Unit: milliseconds. */
const THROTTLED_WAIT_MS = 300_000;

/**
 * Texts of Coinbase in `message`, `error` or `errors[].id`; the first pattern that fits decides. Coinbase Exchange
 * documents no error codes (docs.cdp.coinbase.com, Exchange API, "Errors": `{"message": "..."}`), so its texts are its
 * codes. This is the exception that CONTRIBUTING.md names; text that fits no pattern leaves the decision to the status.
 */
const BY_TEXT: readonly (readonly [RegExp, ExchangeFaultCode])[] = [
  [/rate limit exceeded|rate_limit_exceeded|resource_exhausted/i, 'EXCHANGE_RATE_LIMITED'],
  [/under maintenance|cancel only mode/i, 'EXCHANGE_MAINTENANCE'],
  [/^NotFound$|^not_found$/i, 'SYMBOL_INVALID'],
  [/invalid_scope|PERMISSION_DENIED|Trading pair not available/i, 'NOT_FOUND'],
  [/internal_server_error/i, 'EXCHANGE_SERVER_ERROR'],
];

/** `{"message": "NotFound"}`, `{"error": "INVALID_ARGUMENT"}` or `{"errors": [{"id": "rate_limit_exceeded"}]}`. */
export const errorMapping: ErrorMapping = {
  exchange: 'coinbase',
  graceMs: 30_000,
  read: (response, body): BodyError => {
    const texts = textsOf(body);
    const venueCode = texts.find((text) => /^\w{1,40}$/.test(text)) ?? null;
    if (response.status === 401) return { venueCode, code: 'EXCHANGE_RATE_LIMITED', waitMs: THROTTLED_WAIT_MS };
    const code =
      response.status === 200
        ? null
        : (BY_TEXT.find(([pattern]) => texts.some((text) => pattern.test(text)))?.[1] ?? null);
    return { venueCode, code, waitMs: null };
  },
};

function textsOf(body: ResponseBody): string[] {
  if (body.kind !== 'json' || !isRecord(body.value)) return [];
  const { error, message, errors } = body.value;
  const listed = Array.isArray(errors) ? errors.filter(isRecord).flatMap((one) => [one['id'], one['message']]) : [];
  return [error, ...listed, message].filter((text) => typeof text === 'string');
}
