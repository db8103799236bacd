import type { Exchange } from '../../domain/exchange.ts';
import type { Series } from '../../domain/candle.ts';
import type { Interval } from '../../domain/interval.ts';
import { dayOf, dayRange, daysBetween, dueAtMs, type Day } from '../../domain/partition.ts';
import type { TimeRange } from '../../domain/range.ts';
import type { MarketSymbol } from '../../domain/symbol.ts';
import { addAccounts, countCell, EMPTY_ACCOUNT, type Account } from '../../domain/account.ts';
import { isWaitedFor, type Gap, type WantedGaps } from '../../domain/gap.ts';
import { accountsOfSeries, type CellAccount } from '../../state/cells.ts';
import { firstCandleOf, recheckAtMs, removedSymbols, wasEverListed, type RemovedSymbol } from '../../state/symbols.ts';
import type { FaultCode } from '../../errors/table.ts';
import type { DayRange } from './chunks.ts';
import type { Pipeline } from './pipeline.ts';
import { venueOf } from './exchanges.ts';

type Accounted = Pick<Pipeline, 'ports' | 'venues'>;

/** Every due cell of these series in the range, requested before or not. */
export interface AccountQuery {
  readonly range: TimeRange;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
  readonly intervals: readonly Interval[];
}

/** A gap and when it is requested again; null for a settled one. */
export type ScheduledGap = Gap & { readonly nextAttemptAtMs: number | null };

/** One series of the account, clipped to the range. */
export interface SeriesAccount {
  readonly series: Series;
  /** Its due days in the range; null when none is due yet. */
  readonly days: DayRange | null;
  readonly account: Account;
  /** The earliest next attempt of a pending candle; null when none is scheduled. */
  readonly nextAttemptAtMs: number | null;
  /** Oldest first. Lazy, because a year of minutes may have a million. */
  gaps(wanted: WantedGaps): Iterable<ScheduledGap>;
}

/**
 * Reads the account of a range from the ledger. Symbols that their venue never listed and intervals that it does
 * not offer have no account.
 */
export async function accountOf(pipeline: Accounted, query: AccountQuery): Promise<readonly SeriesAccount[]> {
  const { store } = pipeline.ports;
  const removed = new Map((await store.read(removedSymbols)).map((one) => [`${one.exchange} ${one.symbol}`, one]));
  const accounts: SeriesAccount[] = [];
  for (const [exchange, symbols] of query.markets) {
    const { adapter } = venueOf(pipeline.venues, exchange);
    for (const symbol of symbols) {
      const off = removed.get(`${exchange} ${symbol}`) ?? null;
      if (off?.code === 'SYMBOL_INVALID' && !(await store.read(wasEverListed, exchange, symbol))) continue;
      for (const interval of query.intervals.filter((one) => adapter.intervals.includes(one))) {
        accounts.push(await seriesAccount(pipeline, { exchange, symbol, interval }, { range: query.range, off }));
      }
    }
  }
  return accounts;
}

export const totalOf = (accounts: readonly SeriesAccount[]): Account =>
  accounts.reduce((sum, { account }) => addAccounts(sum, account), EMPTY_ACCOUNT);

/** The earliest next attempt of a pending candle; null when none is scheduled. */
export const nextAttemptOf = (accounts: readonly Pick<SeriesAccount, 'nextAttemptAtMs'>[]): number | null =>
  accounts.reduce<number | null>(
    (next, { nextAttemptAtMs }) => (nextAttemptAtMs === null ? next : Math.min(next ?? Infinity, nextAttemptAtMs)),
    null,
  );

/** `off`: the symbol is off the active list; its candles are not requested before that changes. */
async function seriesAccount(
  { ports, venues }: Accounted,
  series: Series,
  { range, off }: { readonly range: TimeRange; readonly off: RemovedSymbol | null },
): Promise<SeriesAccount> {
  const nowMs = ports.clock.nowMs();
  const { graceMs } = venueOf(venues, series.exchange).adapter;
  const due = daysBetween(dayOf(range.fromMs), dayOf(range.toMs - 1)).filter((day) => dueAtMs(day, graceMs) <= nowMs);
  const [start, end] = [due[0], due.at(-1)];
  if (start === undefined || end === undefined)
    return { series, days: null, account: EMPTY_ACCOUNT, nextAttemptAtMs: null, gaps: () => [] };
  const { cells, first } = await ports.store.read(function* seriesAccount() {
    return { cells: yield* accountsOfSeries(series, { start, end }), first: yield* firstCandleOf(series) };
  });
  const byDay = new Map(cells.map((cell) => [cell.day, cell]));
  const accounts = due.map((day) =>
    dayAccount(byDay.get(day) ?? null, {
      day,
      range,
      interval: series.interval,
      firstOpenMs: first?.openMs ?? null,
      off,
      nowMs,
    }),
  );
  return {
    series,
    days: { start, end },
    account: accounts.reduce((sum, { account }) => addAccounts(sum, account), EMPTY_ACCOUNT),
    nextAttemptAtMs: nextAttemptOf(accounts.filter(({ account }) => account.pending > 0)),
    gaps: (wanted) => joinedGaps(accounts, { wanted, removedBy: off?.code ?? null }),
  };
}

type DayAccount = Omit<CellAccount, 'day'>;

interface DayScope {
  readonly day: Day;
  readonly range: TimeRange;
  readonly interval: Interval;
  readonly firstOpenMs: number | null;
  readonly off: RemovedSymbol | null;
  readonly nowMs: number;
}

/** One day, clipped to the range. A day that was never requested is pending as a whole. */
function dayAccount(cell: CellAccount | null, { day, range, interval, firstOpenMs, off, nowMs }: DayScope): DayAccount {
  const whole = dayRange(day);
  const listedFromMs = Math.max(whole.fromMs, firstOpenMs ?? whole.fromMs);
  const due = {
    fromMs: Math.min(Math.max(listedFromMs, range.fromMs), whole.toMs),
    toMs: Math.min(whole.toMs, range.toMs),
  };
  const isWholeDay = range.fromMs <= whole.fromMs && whole.toMs <= range.toMs;
  const nextAttemptAtMs = off !== null ? recheckAtMs(off) : cell === null ? nowMs : cell.nextAttemptAtMs;
  if (cell !== null && isWholeDay) return { account: cell.account, nextAttemptAtMs, gaps: cell.gaps };
  const { account, gaps } = countPart(due, interval, cell?.gaps('all') ?? null);
  return { account, nextAttemptAtMs, gaps: (wanted) => (wanted === 'all' ? gaps : gaps.filter(isWaitedFor)) };
}

/** The account of a part of a day, from the cell's gaps; `known` is null for a cell that was never requested. */
function countPart(
  due: TimeRange,
  interval: Interval,
  known: readonly Gap[] | null,
): { account: Account; gaps: readonly Gap[] } {
  const gapAt = (openTimeMs: number): Gap | undefined =>
    known?.find((gap) => gap.fromMs <= openTimeMs && openTimeMs < gap.toMs);
  const present = { has: (openTimeMs: number) => known !== null && gapAt(openTimeMs) === undefined };
  return countCell({
    due,
    interval,
    present,
    reasonOf: (openTimeMs) => gapAt(openTimeMs) ?? { state: 'pending', code: null, cause: null },
  });
}

/** Next attempts this close together count as one: a run schedules its cells one after another. Unit: milliseconds. */
const SAME_ATTEMPT_MS = 60_000;

/** Gaps of all days. Adjacent gaps with the same reason and about the same next attempt are joined. */
function* joinedGaps(
  accounts: readonly DayAccount[],
  { wanted, removedBy }: { readonly wanted: WantedGaps; readonly removedBy: FaultCode | null },
): Generator<ScheduledGap> {
  let last: ScheduledGap | null = null;
  for (const { gaps, nextAttemptAtMs } of accounts) {
    for (const gap of gaps(wanted)) {
      const scheduled: ScheduledGap = isWaitedFor(gap)
        ? { ...gap, code: gap.code ?? removedBy, nextAttemptAtMs }
        : { ...gap, nextAttemptAtMs: null };
      if (last !== null && continues(last, scheduled)) {
        last = joined(last, scheduled);
      } else {
        if (last !== null) yield last;
        last = scheduled;
      }
    }
  }
  if (last !== null) yield last;
}

const joined = (last: ScheduledGap, { toMs, nextAttemptAtMs }: ScheduledGap): ScheduledGap => ({
  ...last,
  toMs,
  nextAttemptAtMs: last.nextAttemptAtMs === null ? null : Math.min(last.nextAttemptAtMs, nextAttemptAtMs ?? Infinity),
});

function continues(last: ScheduledGap, next: ScheduledGap): boolean {
  if (last.toMs !== next.fromMs || last.state !== next.state || last.code !== next.code || last.cause !== next.cause)
    return false;
  return (
    last.nextAttemptAtMs === next.nextAttemptAtMs ||
    Math.abs((last.nextAttemptAtMs ?? Infinity) - (next.nextAttemptAtMs ?? Infinity)) <= SAME_ATTEMPT_MS
  );
}
