import type { Clock } from '../../platform/ports/clock.ts';
import type { Operation, Store } from '../../platform/ports/store.ts';
import { exec, first } from '../../platform/statements.ts';
import type { FaultCode } from '../../errors/table.ts';
import type { RetryBudget } from '../policies.ts';
import type { VenueKey } from '../schema.ts';

/** Cost of an exchange's retries until responses refill it. Source of the numbers: AWS SDK, standard retry mode. */
export const BUDGET_TOKENS_MAX = 500;
const RETRY_TOKENS = 5;
/** A timeout costs more, because it has held a connection for its whole length. */
const TIMEOUT_RETRY_TOKENS = 10;
/** Given back by a page whose first attempt succeeded. */
export const RESPONSE_TOKENS = 1;
/** Refill over time, so that last night's outage does not prevent today's retries. Unit: tokens per second. */
const REFILL_TOKENS_S = 1;

export const retryTokens = (code: FaultCode): number =>
  code === 'REQUEST_TIMEOUT' ? TIMEOUT_RETRY_TOKENS : RETRY_TOKENS;

export interface BudgetOptions {
  readonly clock: Clock;
  readonly store: Store;
  readonly venue: VenueKey;
}

/** One exchange's budget, shared by processes and kept over restarts; full before the first request. */
export function retryBudget({ clock, store, venue }: BudgetOptions): RetryBudget {
  return {
    spend: (tokens) =>
      store.transact(function* spendRetryTokens() {
        const left = (yield* tokensOf(venue, clock.nowMs())) - tokens;
        if (left < 0) return false;
        yield* storeTokens(venue, left, clock.nowMs());
        return true;
      }),
    refund: async (tokens) => {
      if ((await store.read(tokensOf, venue, clock.nowMs())) === BUDGET_TOKENS_MAX) return;
      await store.transact(function* refundRetryTokens() {
        yield* storeTokens(
          venue,
          Math.min(BUDGET_TOKENS_MAX, (yield* tokensOf(venue, clock.nowMs())) + tokens),
          clock.nowMs(),
        );
      });
    },
  };
}

export function* tokensOf({ exchange, egress }: VenueKey, nowMs: number): Operation<number> {
  const row = yield* first<{ tokens: number; counted_at: number }>(
    'select tokens, counted_at from retry_budgets where exchange = $1 and egress = $2',
    exchange,
    egress,
  );
  if (row === null) return BUDGET_TOKENS_MAX;
  return Math.min(BUDGET_TOKENS_MAX, row.tokens + (Math.max(0, nowMs - row.counted_at) / 1_000) * REFILL_TOKENS_S);
}

function* storeTokens({ exchange, egress }: VenueKey, tokens: number, nowMs: number): Operation<void> {
  yield* exec(
    `insert into retry_budgets (exchange, egress, tokens, counted_at) values ($1, $2, $3, $4)
     on conflict (exchange, egress) do update set tokens = excluded.tokens, counted_at = excluded.counted_at`,
    exchange,
    egress,
    tokens,
    nowMs,
  );
}
