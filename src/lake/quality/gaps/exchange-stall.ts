import { intersectRanges, type TimeRange } from '../../../domain/range.ts';
import type { MarketSymbol } from '../../../domain/symbol.ts';
import { isLiquid, tradingBefore, type TradingHistory } from './liquidity.ts';
import type { OtherVenue, VenueRecord } from './series-record.ts';

/** Liquid symbols that own data need before they prove an outage. */
export const LIQUID_SYMBOLS_MIN = 3;
/** Share of the liquid symbols that must be quiet in the middle of a stall; one of ten may be a stale feed. */
const QUIET_SHARE_MIN = 0.9;
/** Markets stop and resume minutes apart: a stall begins and ends where at least this share is quiet. */
const EDGE_SHARE_MIN = 0.5;
/** With fewer quiet symbols a moment is not even the edge of a stall. */
const QUIET_SYMBOLS_MIN = Math.ceil(LIQUID_SYMBOLS_MIN * EDGE_SHARE_MIN);
/** Share of a stall's candles in which another venue must have traded to count as trading. */
const TRADING_SHARE_MIN = 0.5;

/** A time in which the liquid symbols of a venue stopped trading together. */
export interface ExchangeStall extends TimeRange {
  /** Liquid symbols without a trade in the middle of it. */
  readonly silent: readonly MarketSymbol[];
  /** Liquid symbols that traded all the same. */
  readonly trading: readonly MarketSymbol[];
  /** Other venues that traded, and those that stalled too. Venues without a response for this time are in neither. */
  readonly others: { readonly trading: readonly string[]; readonly silent: readonly string[] };
}

interface Moment extends TimeRange {
  readonly silent: readonly TradingHistory[];
  readonly trading: readonly TradingHistory[];
}

/** Every stall of the venue, oldest first. */
export function stallsOf(record: VenueRecord, markets: readonly TradingHistory[]): ExchangeStall[] {
  const closed: TimeRange[] = [];
  const moments: Moment[] = [];
  for (const moment of quietMoments(markets)) {
    const liquid = (market: TradingHistory): boolean =>
      isLiquid(tradingBefore(moment.fromMs, market, { stepMs: record.stepMs, closed }));
    const silent = moment.silent.filter(liquid);
    if (silent.length < QUIET_SYMBOLS_MIN) continue;
    const ofLiquid = { ...moment, silent, trading: moment.trading.filter(liquid) };
    moments.push(ofLiquid);
    const continues = closed.at(-1)?.toMs === ofLiquid.fromMs && quietShare(ofLiquid) >= EDGE_SHARE_MIN;
    if (continues || quietShare(ofLiquid) >= QUIET_SHARE_MIN) extend(closed, ofLiquid);
  }
  return closed.map((range) => stallIn(range, moments, record));
}

const symbolsOf = (markets: readonly TradingHistory[]): MarketSymbol[] => markets.map(({ series }) => series.symbol);
const quietShare = ({ silent, trading }: Moment): number =>
  silent.length + trading.length < LIQUID_SYMBOLS_MIN ? 0 : silent.length / (silent.length + trading.length);

/** `ranges` is in order of time. */
function extend(ranges: TimeRange[], { fromMs, toMs }: TimeRange): void {
  const last = ranges.at(-1);
  if (last?.toMs === fromMs) ranges[ranges.length - 1] = { fromMs: last.fromMs, toMs };
  else ranges.push({ fromMs, toMs });
}

/** Segments in which no market starts or stops trading, with enough quiet markets to be part of a stall. */
function* quietMoments(markets: readonly TradingHistory[]): Generator<Moment> {
  const edges = [
    ...new Set(
      markets.flatMap(({ known, quiet }) => [...known, ...quiet].flatMap(({ fromMs, toMs }) => [fromMs, toMs])),
    ),
  ].toSorted((a, b) => a - b);
  const cursors = markets.map((market) => ({
    market,
    isKnown: cursorOf(market.known),
    isQuiet: cursorOf(market.quiet),
  }));
  for (const [at, fromMs] of edges.slice(0, -1).entries()) {
    const known = cursors.filter(({ isKnown }) => isKnown(fromMs));
    const silent = new Set(known.filter(({ isQuiet }) => isQuiet(fromMs)).map(({ market }) => market));
    if (silent.size < QUIET_SYMBOLS_MIN) continue;
    yield {
      fromMs,
      toMs: edges[at + 1] as number,
      silent: [...silent],
      trading: known.map(({ market }) => market).filter((market) => !silent.has(market)),
    };
  }
}

/** Whether a time lies in one of `ranges`; successive calls must not go back in time. */
function cursorOf(ranges: readonly TimeRange[]): (timeMs: number) => boolean {
  let at = 0;
  return (timeMs) => {
    while ((ranges[at]?.toMs ?? Infinity) <= timeMs) at += 1;
    return (ranges[at]?.fromMs ?? Infinity) <= timeMs;
  };
}

/** The stall recognised in `range`, extended back to when half of its symbols had stopped. */
function stallIn(range: TimeRange, moments: readonly Moment[], record: VenueRecord): ExchangeStall {
  let at = moments.findIndex((moment) => moment.fromMs === range.fromMs);
  const { silent, trading } = moments[at] as Moment;
  for (
    let before = moments[at - 1];
    before?.toMs === moments[at]?.fromMs && before !== undefined && quietShare(before) >= EDGE_SHARE_MIN;
    before = moments[at - 1]
  )
    at -= 1;
  const whole = { fromMs: (moments[at] as Moment).fromMs, toMs: range.toMs };
  return { ...whole, silent: symbolsOf(silent), trading: symbolsOf(trading), others: othersDuring(record, whole) };
}

function othersDuring({ others }: VenueRecord, stall: TimeRange): ExchangeStall['others'] {
  const msOf = (ranges: readonly TimeRange[]): number =>
    intersectRanges(ranges, [stall]).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  const observed = others.filter(({ answered }) => msOf(answered) > 0);
  const isTrading = ({ answered, traded }: OtherVenue): boolean => msOf(traded) >= msOf(answered) * TRADING_SHARE_MIN;
  return {
    trading: observed.filter(isTrading).map(({ exchange }) => exchange),
    silent: observed.filter((other) => !isTrading(other)).map(({ exchange }) => exchange),
  };
}
