import type { Operation } from '../platform/ports/store.ts';
import { all, exec } from '../platform/statements.ts';
import type { Series } from '../domain/candle.ts';
import type { TimeRange } from '../domain/range.ts';

/** `release`: the row is accepted as it is. `drop`: it stays out, and its candle is no longer requested. */
export type QuarantineVerdict = 'release' | 'drop';

/** A person's decision about one quarantined row, kept for ever. The newest decision about a candle counts. */
export interface QuarantineDecision extends Series {
  readonly id: string;
  readonly openTimeMs: number;
  readonly verdict: QuarantineVerdict;
  /** Reference of the row that the person saw. */
  readonly raw: string;
  readonly rules: readonly string[];
  readonly reason: string;
  readonly by: string;
  readonly atMs: number;
}

/** Distinguishes a decision from other lines in its file. */
export const isDecision = (value: unknown): value is QuarantineDecision =>
  typeof value === 'object' &&
  value !== null &&
  ['id', 'exchange', 'symbol', 'interval', 'openTimeMs', 'verdict', 'atMs'].every((key) => Object.hasOwn(value, key));

export const QUARANTINE_DECISIONS_TABLE = `create table quarantine_decisions (
  id text primary key,
  exchange text not null,
  candle_interval text not null,
  symbol text not null,
  open_ms bigint not null,
  decided_at bigint not null,
  decision text not null
)`;

/** Leaves decisions alone that are stored already. */
export function* recordDecisions(decisions: readonly QuarantineDecision[]): Operation<void> {
  for (const decision of decisions) {
    yield* exec(
      `insert into quarantine_decisions (id, exchange, candle_interval, symbol, open_ms, decided_at, decision)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing`,
      decision.id,
      decision.exchange,
      decision.interval,
      decision.symbol,
      decision.openTimeMs,
      decision.atMs,
      JSON.stringify(decision),
    );
  }
}

const candleKey = ({ symbol, openTimeMs }: Pick<QuarantineDecision, 'symbol' | 'openTimeMs'>): string =>
  `${symbol} ${openTimeMs}`;

/** Decisions about candles, looked up by symbol and open time. */
export interface Decisions {
  of(candle: Pick<QuarantineDecision, 'symbol' | 'openTimeMs'>): QuarantineDecision | null;
}

/** The decisions in force about candles of one venue and length that open in `range`. */
export function* decisionsIn(of: Omit<Series, 'symbol'>, range: TimeRange): Operation<Decisions> {
  const rows = yield* all<{ decision: string }>(
    `select decision from quarantine_decisions where exchange = $1 and candle_interval = $2
       and open_ms >= $3 and open_ms < $4 order by decided_at, id`,
    of.exchange,
    of.interval,
    range.fromMs,
    range.toMs,
  );
  const newest = new Map(
    rows
      .map(({ decision }) => JSON.parse(decision) as QuarantineDecision)
      .map((decision) => [candleKey(decision), decision]),
  );
  return { of: (candle) => (newest.size === 0 ? null : (newest.get(candleKey(candle)) ?? null)) };
}
