import type { Account } from '../../src/domain/account.ts';

/** True when each due candle is in exactly one of the five states. */
export const balances = (account: Account): boolean =>
  account.expected === account.present + account.no_trades + account.outage + account.quarantined + account.pending;
