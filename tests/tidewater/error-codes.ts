import type { ExchangeFaultCode } from '../../src/errors/errors.ts';
import { isRecord } from '../../src/exchanges/response-body.ts';
import type { ErrorMapping } from '../../src/exchanges/response-errors.ts';

const BY_ERROR: ReadonlyMap<unknown, ExchangeFaultCode> = new Map([
  ['no_such_market', 'SYMBOL_INVALID'],
  ['slow_down', 'EXCHANGE_RATE_LIMITED'],
  ['closed_for_repairs', 'EXCHANGE_MAINTENANCE'],
  ['oops', 'EXCHANGE_SERVER_ERROR'],
]);

/** `{"ok": false, "error": "no_such_market"}`, always with HTTP 200. */
export const errorMapping: ErrorMapping = {
  exchange: 'tidewater',
  graceMs: 10_000,
  read: (_response, body) => {
    const error = body.kind === 'json' && isRecord(body.value) ? body.value['error'] : undefined;
    return { venueCode: typeof error === 'string' ? error : null, code: BY_ERROR.get(error) ?? null, waitMs: null };
  },
};
