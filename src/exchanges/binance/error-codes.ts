import type { ExchangeFaultCode } from '../../errors/errors.ts';
import { isRecord } from '../response-body.ts';
import type { ErrorMapping } from '../response-errors.ts';

/** Binance's own codes. For other codes the status decides. Source: binance-spot-api-docs, errors.md. */
const BY_CODE: ReadonlyMap<string, ExchangeFaultCode> = new Map(
  Object.entries({
    '-1000': 'EXCHANGE_SERVER_ERROR',
    '-1001': 'EXCHANGE_SERVER_ERROR',
    '-1002': 'UNAUTHORIZED',
    '-1003': 'EXCHANGE_RATE_LIMITED', // EXCHANGE_IP_BANNED if the body states the end of a ban
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
  } as const),
);

/** -1008: the servers are overloaded, usually for some minutes. Unit: milliseconds. */
const OVERLOADED_WAIT_MS = 60_000;

/** "IP banned until 1660090423228": the only exact end of a ban that Binance states. */
const BANNED_UNTIL = /banned until (\d{13})/;

/** `{"code": -1121, "msg": "Invalid symbol."}`, with any status. */
export const errorMapping: ErrorMapping = {
  exchange: 'binance',
  graceMs: 5_000,
  read: (response, body, nowMs) => {
    const stated = body.kind === 'json' && isRecord(body.value) ? body.value['code'] : undefined;
    const venueCode = typeof stated === 'number' || typeof stated === 'string' ? String(stated) : null;
    const untilMs =
      response.status === 200 ? undefined : BANNED_UNTIL.exec(Buffer.from(response.body).toString('utf8'))?.[1];
    if (untilMs !== undefined)
      return { venueCode, code: 'EXCHANGE_IP_BANNED', waitMs: Math.max(0, Number(untilMs) - nowMs) };
    return {
      venueCode,
      code: BY_CODE.get(venueCode ?? '') ?? null,
      waitMs: venueCode === '-1008' ? OVERLOADED_WAIT_MS : null,
    };
  },
};
