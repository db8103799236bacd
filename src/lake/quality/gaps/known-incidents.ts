import type { Exchange } from '../../../domain/exchange.ts';
import type { TimeRange } from '../../../domain/range.ts';
import type { MarketSymbol } from '../../../domain/symbol.ts';

/** A time in which a venue, or some of its markets, did not trade. */
export interface KnownIncident extends TimeRange {
  readonly id: string;
  readonly exchange: Exchange;
  /** Affected markets; null for all of them. */
  readonly symbols: readonly MarketSymbol[] | null;
  readonly source: string;
}

/** Computed from recorded series of the venue: exact to the minute if minutes were recorded, else to the candle. */
const RECORDED = 'recorded 1m, 15m, 30m, 1h and 2h series';

type Line = readonly [from: string, to: string, source?: string, symbols?: readonly MarketSymbol[]];

/** UTC, `to` is the first minute of trading after it. */
const INCIDENTS: Readonly<Record<Exchange, readonly Line[]>> = {
  binance: [
    ['2017-09-06T16:00', '2017-09-06T23:00'],
    ['2017-12-18T12:15', '2017-12-18T13:31', 'binance-public-data issue 169'],
    ['2018-01-04T03:00', '2018-01-04T05:00'],
    ['2018-02-08T00:28', '2018-02-09T10:00'],
    ['2018-06-26T02:00', '2018-06-26T12:00'],
    ['2018-06-27T13:00', '2018-06-27T14:00'],
    ['2018-07-04T00:22', '2018-07-04T08:00'],
    ['2018-10-19T06:00', '2018-10-19T09:00'],
    ['2018-11-14T02:00', '2018-11-14T09:00'],
    ['2019-03-12T02:00', '2019-03-12T08:00'],
    ['2019-05-15T03:00', '2019-05-15T13:00'],
    ['2019-06-07T21:00', '2019-06-07T22:00', 'recorded 1h and 2h series: flat, 2h candle closed at 21:13:13'],
    ['2019-08-15T02:00', '2019-08-15T10:00'],
    ['2019-11-13T02:00', '2019-11-13T04:00'],
    ['2019-11-25T02:00', '2019-11-25T04:00'],
    ['2020-02-09T02:00', '2020-02-09T03:00'],
    ['2020-02-19T11:35', '2020-02-19T17:30'],
    ['2020-03-04T09:21', '2020-03-04T11:00'],
    ['2020-04-25T02:00', '2020-04-25T04:00'],
    ['2020-06-28T02:00', '2020-06-28T05:00'],
    ['2020-11-30T06:00', '2020-11-30T07:00'],
    ['2020-12-21T13:47', '2020-12-21T18:00'],
    ['2020-12-25T02:00', '2020-12-25T03:00'],
    ['2021-02-11T03:00', '2021-02-11T05:00', 'recorded series: flat to 03:40, then missing'],
    ['2021-03-06T02:00', '2021-03-06T03:30'],
    ['2021-04-20T02:00', '2021-04-20T04:30'],
    ['2021-04-25T04:01', '2021-04-25T08:45'],
    ['2021-08-13T02:00', '2021-08-13T06:30'],
    ['2021-09-29T07:00', '2021-09-29T09:00'],
    ['2023-03-24T11:28', '2023-03-24T14:00', 'recorded series: flat to 12:39, then missing'],
  ],
  coinbase: [
    ['2023-03-04T17:00', '2023-03-04T21:37'],
    ['2023-03-04T16:55', '2023-03-04T21:37', RECORDED, ['BTC/EUR']],
    ['2023-03-04T17:00', '2023-03-04T21:42', RECORDED, ['BTC/USDT']],
    ['2023-03-04T17:00', '2023-03-04T22:00', RECORDED, ['USDT/USD']],
    ['2023-03-10T02:40', '2023-03-10T02:44'],
    ['2024-05-31T22:15', '2024-05-31T23:15'],
    ['2024-10-26T16:15', '2024-10-26T17:15'],
    ['2025-04-25T07:30', '2025-04-25T08:00', RECORDED, ['ETH/USD']],
    ['2025-10-25T15:15', '2025-10-25T21:00'],
  ],
  okx: [
    ['2018-02-04T15:00', '2018-02-04T16:00'],
    ['2019-02-12T10:00', '2019-02-12T12:00'],
    ['2020-04-02T09:00', '2020-04-02T10:00'],
    ['2020-08-13T09:00', '2020-08-13T10:00'],
    ['2022-06-01T17:00', '2022-06-01T18:00'],
    ['2022-12-18T09:00', '2022-12-18T18:00'],
  ],
  kraken: [['2023-03-16T22:01', '2023-03-16T22:13', RECORDED, ['BTC/USD', 'BTC/EUR']]],
  bitfinex: [['2020-02-11T10:00', '2020-02-11T12:00', 'bitfinex-api-py issue 198']],
};

/** The incidents that ship with Candlekeep. The id is the venue and the first minute: `binance 2021-04-25T04:01Z`. */
export const KNOWN_INCIDENTS: readonly KnownIncident[] = Object.entries(INCIDENTS).flatMap(([exchange, lines]) =>
  lines.map(([from, to, source = RECORDED, symbols]) => ({
    id: `${exchange} ${from}Z`,
    exchange,
    fromMs: Date.parse(`${from}Z`),
    toMs: Date.parse(`${to}Z`),
    symbols: symbols ?? null,
    source,
  })),
);

/** The whole candles that an incident covers; a candle that it covers in part could have had a trade. */
export const candlesOf = (incident: KnownIncident, stepMs: number): TimeRange => ({
  fromMs: Math.ceil(incident.fromMs / stepMs) * stepMs,
  toMs: Math.floor(incident.toMs / stepMs) * stepMs,
});

export const concerns = (
  incident: KnownIncident,
  market: { readonly exchange: Exchange; readonly symbol: MarketSymbol },
): boolean => incident.exchange === market.exchange && (incident.symbols?.includes(market.symbol) ?? true);
