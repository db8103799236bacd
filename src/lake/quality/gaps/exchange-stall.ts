import { intersectRanges, type TimeRange } from '../../../domain/range.ts';
import type { MarketSymbol } from '../../../domain/symbol.ts';
import { isLiquid, tradingBefore, type TradingHistory } from './liquidity.ts';
import type { OtherVenue, VenueRecord } from './series-record.ts';

/** Own data alone call it an outage only when at least so many liquid symbols tell. */
export const LIQUID_SYMBOLS_MIN = 3;
/** Share of the liquid symbols that must be silent in the middle of a venue's silence; one of ten may be a stale feed. */
const SILENT_SHARE_MIN = 0.9;
/** Markets stop and come back a few minutes apart: a silence begins and ends where at least this share is silent. */
const EDGE_SHARE_MIN = 0.5;
/** With fewer silent symbols it is not even the edge of a silence. */
const SILENT_SYMBOLS_MIN = Math.ceil(LIQUID_SYMBOLS_MIN * EDGE_SHARE_MIN);
/** Share of the candles of a silence in which another venue must have traded to count as trading. */
const TRADING_SHARE_MIN = 0.5;

/** A time in which the liquid symbols of a venue stood still together. */
export interface ExchangeStall extends TimeRange {
  /** Liquid symbols without a trade in the middle of it. */
  readonly silent: readonly MarketSymbol[];
  /** Liquid symbols that traded nevertheless. */
  readonly trading: readonly MarketSymbol[];
  /** What other venues did; a venue that was not asked is in neither list. */
  readonly others: { readonly trading: readonly string[]; readonly silent: readonly string[] };
}

interface Moment extends TimeRange {
  readonly silent: readonly TradingHistory[];
  readonly trading: readonly TradingHistory[];
}

/** Every silence of the venue, oldest first. */
export function stallsOf(record: VenueRecord, markets: readonly TradingHistory[]): ExchangeStall[] {
  const closed: TimeRange[] = [];
  const moments: Moment[] = [];
  for (const moment of stillMoments(markets)) {
    const liquid = (market: TradingHistory): boolean =>
      isLiquid(tradingBefore(moment.fromMs, market, { stepMs: record.stepMs, closed }));
    const silent = moment.silent.filter(liquid);
    if (silent.length < SILENT_SYMBOLS_MIN) continue;
    const told = { ...moment, silent, trading: moment.trading.filter(liquid) };
    moments.push(told);
    const goesOn = closed.at(-1)?.toMs === told.fromMs && silentShare(told) >= EDGE_SHARE_MIN;
    if (goesOn || silentShare(told) >= SILENT_SHARE_MIN) extend(closed, told);
  }
  return closed.map((range) => silenceIn(range, moments, record));
}

const symbolsOf = (markets: readonly TradingHistory[]): MarketSymbol[] => markets.map(({ series }) => series.symbol);
const silentShare = ({ silent, trading }: Moment): number =>
  silent.length + trading.length < LIQUID_SYMBOLS_MIN ? 0 : silent.length / (silent.length + trading.length);

/** `ranges` is in order of time. */
function extend(ranges: TimeRange[], { fromMs, toMs }: TimeRange): void {
  const last = ranges.at(-1);
  if (last?.toMs === fromMs) ranges[ranges.length - 1] = { fromMs: last.fromMs, toMs };
  else ranges.push({ fromMs, toMs });
}

/** Stretches in which no market begins or ends to trade, and enough are silent to be worth a look. */
function* stillMoments(markets: readonly TradingHistory[]): Generator<Moment> {
  const edges = [
    ...new Set(
      markets.flatMap(({ known, silent }) => [...known, ...silent].flatMap(({ fromMs, toMs }) => [fromMs, toMs])),
    ),
  ].toSorted((a, b) => a - b);
  const cursors = markets.map((market) => ({
    market,
    isKnown: cursorOf(market.known),
    isSilent: cursorOf(market.silent),
  }));
  for (const [at, fromMs] of edges.slice(0, -1).entries()) {
    const known = cursors.filter(({ isKnown }) => isKnown(fromMs));
    const silent = new Set(known.filter(({ isSilent }) => isSilent(fromMs)).map(({ market }) => market));
    if (silent.size < SILENT_SYMBOLS_MIN) continue;
    yield {
      fromMs,
      toMs: edges[at + 1] as number,
      silent: [...silent],
      trading: known.map(({ market }) => market).filter((market) => !silent.has(market)),
    };
  }
}

/** Asks whether a time lies in one of `ranges`; times must not go back. */
function cursorOf(ranges: readonly TimeRange[]): (timeMs: number) => boolean {
  let at = 0;
  return (timeMs) => {
    while ((ranges[at]?.toMs ?? Infinity) <= timeMs) at += 1;
    return (ranges[at]?.fromMs ?? Infinity) <= timeMs;
  };
}

/** The silence that was recognised in `range`: it began before, when half of its symbols had stopped. */
function silenceIn(range: TimeRange, moments: readonly Moment[], record: VenueRecord): ExchangeStall {
  let at = moments.findIndex((moment) => moment.fromMs === range.fromMs);
  const { silent, trading } = moments[at] as Moment;
  for (
    let before = moments[at - 1];
    before?.toMs === moments[at]?.fromMs && before !== undefined && silentShare(before) >= EDGE_SHARE_MIN;
    before = moments[at - 1]
  )
    at -= 1;
  const whole = { fromMs: (moments[at] as Moment).fromMs, toMs: range.toMs };
  return { ...whole, silent: symbolsOf(silent), trading: symbolsOf(trading), others: othersDuring(record, whole) };
}

function othersDuring({ others }: VenueRecord, silence: TimeRange): ExchangeStall['others'] {
  const msOf = (ranges: readonly TimeRange[]): number =>
    intersectRanges(ranges, [silence]).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const asked = others.filter(({ answered }) => msOf(answered) > 0);
  const isTrading = ({ answered, traded }: OtherVenue): boolean => msOf(traded) >= msOf(answered) * TRADING_SHARE_MIN;
  return {
    trading: asked.filter(isTrading).map(({ exchange }) => exchange),
    silent: asked.filter((other) => !isTrading(other)).map(({ exchange }) => exchange),
  };
}
