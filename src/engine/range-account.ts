import type { Exchange } from '../market/exchange.ts';
import type { Series } from '../market/candle.ts';
import type { Interval } from '../market/interval.ts';
import { dayOf, dayRange, daysBetween, dueAtMs } from '../market/partition.ts';
import type { TimeRange } from '../market/range.ts';
import type { MarketSymbol } from '../market/symbol.ts';
import { addAccounts, countCell, EMPTY_ACCOUNT, type Account, type CellState, type Gap } from '../faults/ledger/account.ts';
import { cellsOfSeries } from '../faults/ledger/cells.ts';
import { firstCandleOf, recheckAtMs, removedSymbols, wasEverListed, type RemovedSymbol } from '../faults/ledger/symbols.ts';
import type { Pipeline } from './pipeline.ts';
import { venueOf } from './venues.ts';

type Accounted = Pick<Pipeline, 'ports' | 'venues'>;

/** What is asked of the account: every due cell of these series in the range, whether or not anybody ever asked for it. */
export interface AccountQuery {
  readonly range: TimeRange;
  readonly markets: ReadonlyMap<Exchange, readonly MarketSymbol[]>;
  readonly intervals: readonly Interval[];
}

/** A gap and when it is asked for again; null for a settled one. */
export type AppointedGap = Gap & { readonly nextAttemptAtMs: number | null };

/** One series of the account, clipped to the asked range. */
export interface SeriesAccount {
  readonly series: Series;
  readonly account: Account;
  readonly gaps: readonly AppointedGap[];
  readonly cells: readonly CellState[];
}

/** Reads the account of a range from the ledger. A symbol that its venue never listed, and an interval it does not have, have no account. */
export async function accountOf(pipeline: Accounted, query: AccountQuery): Promise<readonly SeriesAccount[]> {
  const { store } = pipeline.ports;
  const removed = new Map((await store.read('removedSymbols', () => removedSymbols())).map((one) => [`${one.exchange} ${one.symbol}`, one]));
  const accounts: SeriesAccount[] = [];
  for (const [exchange, symbols] of query.markets) {
    const { adapter } = venueOf(pipeline.venues, exchange);
    for (const symbol of symbols) {
      const off = removed.get(`${exchange} ${symbol}`) ?? null;
      if (off?.code === 'SYMBOL_INVALID' && !(await store.read('wasEverListed', () => wasEverListed(exchange, symbol)))) continue;
      for (const interval of query.intervals.filter((one) => adapter.intervals.includes(one))) {
        accounts.push(await seriesAccount(pipeline, { exchange, symbol, interval }, { range: query.range, off }));
      }
    }
  }
  return accounts;
}

export const totalOf = (accounts: readonly SeriesAccount[]): Account => accounts.reduce((sum, { account }) => addAccounts(sum, account), EMPTY_ACCOUNT);

/** The earliest appointment of a pending candle; null when none has one. */
export function nextAttemptOf(accounts: readonly SeriesAccount[]): number | null {
  let nextMs: number | null = null;
  for (const gap of accounts.flatMap(({ gaps }) => gaps)) {
    if (gap.state === 'pending' && gap.nextAttemptAtMs !== null) nextMs = Math.min(nextMs ?? Infinity, gap.nextAttemptAtMs);
  }
  return nextMs;
}

/** `off`: the symbol is off the active list, and its candles are not asked for before that changes. */
async function seriesAccount({ ports, venues }: Accounted, series: Series, { range, off }: { readonly range: TimeRange; readonly off: RemovedSymbol | null }): Promise<SeriesAccount> {
  const nowMs = ports.clock.nowMs();
  const { graceMs } = venueOf(venues, series.exchange).adapter;
  const days = daysBetween(dayOf(range.fromMs), dayOf(range.toMs - 1)).filter((day) => dueAtMs(day, graceMs) <= nowMs);
  const [start, end] = [days[0], days.at(-1)];
  if (start === undefined || end === undefined) return { series, account: EMPTY_ACCOUNT, gaps: [], cells: [] };
  const { cells, first } = await ports.store.read('seriesAccount', function* () {
    return { cells: yield* cellsOfSeries(series, { start, end }), first: yield* firstCandleOf(series) };
  });
  const byDay = new Map(cells.map((cell) => [cell.day, cell]));
  let account = EMPTY_ACCOUNT;
  const gaps: AppointedGap[] = [];
  for (const day of days) {
    const cell = byDay.get(day) ?? null;
    const whole = dayRange(day);
    const listedFromMs = Math.max(whole.fromMs, first?.openMs ?? whole.fromMs);
    const due = { fromMs: Math.min(Math.max(listedFromMs, range.fromMs), whole.toMs), toMs: Math.min(whole.toMs, range.toMs) };
    const isWholeDay = range.fromMs <= whole.fromMs && whole.toMs <= range.toMs;
    const counted = cell !== null && isWholeDay ? cell : countPart(due, series.interval, cell);
    const nextAttemptAtMs = off !== null ? recheckAtMs(off) : cell === null ? nowMs : cell.nextAttemptAtMs;
    account = addAccounts(account, counted.account);
    for (const gap of counted.gaps) joinGap(gaps, isOpen(gap) ? { ...gap, code: gap.code ?? off?.code ?? null, nextAttemptAtMs } : { ...gap, nextAttemptAtMs: null });
  }
  return { series, account, gaps, cells };
}

/** The account of a part of a day, from the cell's gaps; a cell nobody asked for is pending as a whole. */
function countPart(due: TimeRange, interval: Interval, cell: CellState | null): { account: Account; gaps: readonly Gap[] } {
  const gapAt = (openTimeMs: number): Gap | undefined => cell?.gaps.find((gap) => gap.fromMs <= openTimeMs && openTimeMs < gap.toMs);
  const present = { has: (openTimeMs: number) => cell !== null && gapAt(openTimeMs) === undefined };
  return countCell({ due, interval, present, reasonOf: (openTimeMs) => gapAt(openTimeMs) ?? { state: 'pending', code: null, cause: null } });
}

const isOpen = ({ state }: Gap): boolean => state === 'pending' || state === 'quarantined';

/** Appointments this close together are one to a reader: the cells of a run are accounted for one after another. Unit: milliseconds. */
const SAME_APPOINTMENT_MS = 60_000;

/** Adds a gap; one that goes on where the last ended, for the same reason and until about the same time, makes that longer. */
function joinGap(gaps: AppointedGap[], gap: AppointedGap): void {
  const last = gaps.at(-1);
  const isSameReason = last?.toMs === gap.fromMs && last.state === gap.state && last.code === gap.code && last.cause === gap.cause;
  const apartMs = last === undefined || last.nextAttemptAtMs === gap.nextAttemptAtMs ? 0 : Math.abs((last.nextAttemptAtMs ?? Infinity) - (gap.nextAttemptAtMs ?? Infinity));
  if (last === undefined || !isSameReason || apartMs > SAME_APPOINTMENT_MS) gaps.push(gap);
  else gaps[gaps.length - 1] = { ...last, toMs: gap.toMs, nextAttemptAtMs: last.nextAttemptAtMs === null ? null : Math.min(last.nextAttemptAtMs, gap.nextAttemptAtMs ?? Infinity) };
}
