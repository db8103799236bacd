import { banReply, type ErrorBody } from './broken-response.ts';
import { jsonReply, type ResponseReply } from './reply.ts';

/** Weight granted in each aligned window of the wall clock. */
export interface WeightLimit {
  readonly weight: number;
  readonly windowMs: number;
}

/** Requests in one window over the limit or against a Retry-After, after which the next one is banned. */
const OFFENCES_BEFORE_BAN = 10;
const FIRST_BAN_MS = 120_000;
const BAN_MS_MAX = 259_200_000;

export interface WeightMeter {
  /** Charges a request, also a refused one. `refusal` is null while the weight lasts and Retry-After is respected. */
  charge(
    request: { readonly weight: number; readonly sentWhileClosed: boolean },
    nowMs: number,
  ): { readonly used: number; readonly refusal: ResponseReply | null };
}

/** Binance's error bodies; throttling and bans share a code, and a refused region has the code 0. */
export const binanceError: ErrorBody = ({ status, venueCode, message }) => ({
  code: Number(venueCode ?? (status === 429 || status === 418 ? -1003 : 0)),
  msg: message,
});

/**
 * Counts like Binance: 429 until the window ends, then bans for clients that continue, each twice as long as the last.
 */
export function weightMeter(limit: WeightLimit): WeightMeter {
  let windowStartMs = -1;
  let used = 0;
  let offences = 0;
  let bannedUntilMs = 0;
  let nextBanMs = FIRST_BAN_MS;
  return {
    charge: ({ weight, sentWhileClosed }, nowMs) => {
      const startMs = Math.floor(nowMs / limit.windowMs) * limit.windowMs;
      if (startMs !== windowStartMs) [windowStartMs, used, offences] = [startMs, 0, 0];
      used += weight;
      if (nowMs < bannedUntilMs)
        return { used, refusal: banReply(bannedUntilMs, { forMs: bannedUntilMs - nowMs, errorBody: binanceError }) };
      if (used > limit.weight || sentWhileClosed) offences += 1;
      if (offences > OFFENCES_BEFORE_BAN) {
        bannedUntilMs = nowMs + nextBanMs;
        nextBanMs = Math.min(nextBanMs * 2, BAN_MS_MAX);
        return { used, refusal: banReply(bannedUntilMs, { forMs: bannedUntilMs - nowMs, errorBody: binanceError }) };
      }
      if (used <= limit.weight) return { used, refusal: null };
      const waitS = Math.ceil((startMs + limit.windowMs - nowMs) / 1_000);
      const message =
        `Too much request weight used; current limit is ${limit.weight} request weight per window. ` +
        'Please use WebSocket Streams for live updates to avoid polling the API.';
      return {
        used,
        refusal: jsonReply(429, binanceError({ status: 429, venueCode: null, message }), {
          'retry-after': String(waitS),
        }),
      };
    },
  };
}
