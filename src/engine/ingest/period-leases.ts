import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import { periodOf, type Day, type Period } from '../../domain/partition.ts';
import { periodLease } from '../../lake/layout.ts';

/** The leases that days of one exchange need: one for each period, by its name. */
export const periodsByLease = (
  exchange: Exchange,
  interval: Interval,
  days: readonly Day[],
): ReadonlyMap<string, Period> =>
  new Map(
    [...new Set(days.map((day) => periodOf(day, interval)))].map((period) => [
      periodLease({ exchange, interval, period }),
      period,
    ]),
  );
