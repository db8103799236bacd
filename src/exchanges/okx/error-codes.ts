import type { ExchangeFaultCode } from '../../errors/errors.ts';
import { isRecord, type ResponseBody } from '../response-body.ts';
import type { ErrorMapping } from '../response-errors.ts';

/** OKX's codes, which its body states with any status. Source: OKX API guide, "Error Code". */
const BY_CODE: ReadonlyMap<string, ExchangeFaultCode> = new Map(
  Object.entries({
    '1': 'EXCHANGE_SERVER_ERROR', // unless an entry of `data` has a code of its own
    '500': 'EXCHANGE_SERVER_ERROR',
    '4088': 'FORBIDDEN',
    '50001': 'EXCHANGE_MAINTENANCE',
    '50002': 'REQUEST_REJECTED',
    '50004': 'REQUEST_TIMEOUT',
    '50005': 'EXCHANGE_SERVER_ERROR',
    '50006': 'REQUEST_REJECTED',
    '50011': 'EXCHANGE_RATE_LIMITED',
    '50013': 'EXCHANGE_SERVER_ERROR',
    '50014': 'REQUEST_REJECTED',
    '50015': 'REQUEST_REJECTED',
    '50016': 'REQUEST_REJECTED',
    '50024': 'REQUEST_REJECTED',
    '50025': 'REQUEST_REJECTED',
    '50026': 'EXCHANGE_SERVER_ERROR',
    '50027': 'FORBIDDEN',
    '50061': 'EXCHANGE_RATE_LIMITED',
    '50115': 'REQUEST_REJECTED',
    '51000': 'REQUEST_REJECTED',
    '51001': 'SYMBOL_INVALID',
    '51021': 'NOT_FOUND',
    '51024': 'NOT_FOUND',
    '51155': 'FORBIDDEN',
  } as const),
);

/** 50100 to 50114 concern an API key; a public request sends none. */
const KEY_LEVEL = /^501(?:0\d|1[0-4])$/;

/** The window of OKX's limits: the next request after it is allowed. Unit: milliseconds. */
const LIMIT_WINDOW_MS = 2_000;

/** `{"code": "51001", "msg": "...", "data": []}` with any status. Only the string "0" means success. */
export const errorMapping: ErrorMapping = {
  exchange: 'okx',
  graceMs: 60_000,
  read: (response, body) => {
    const venueCode = codeIn(body);
    const code = BY_CODE.get(venueCode ?? '') ?? (KEY_LEVEL.test(venueCode ?? '') ? 'UNAUTHORIZED' : null);
    return {
      venueCode,
      code,
      waitMs: response.status === 429 || code === 'EXCHANGE_RATE_LIMITED' ? LIMIT_WINDOW_MS : null,
    };
  },
};

/** `code`, or the `sCode` of the first entry if `code` is the general "1". */
function codeIn(body: ResponseBody): string | null {
  if (body.kind !== 'json' || !isRecord(body.value)) return null;
  const { code, data } = body.value;
  const entry: unknown = Array.isArray(data) ? data[0] : undefined;
  const stated = code === '1' && isRecord(entry) && typeof entry['sCode'] === 'string' ? entry['sCode'] : code;
  return typeof stated === 'number' || typeof stated === 'string' ? String(stated) : null;
}
