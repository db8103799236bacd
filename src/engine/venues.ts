import type { Ports } from '../kernel/ports.ts';
import type { Exchange } from '../market/exchange.ts';
import type { Interval } from '../market/interval.ts';
import { createExecutor, type Executor } from '../faults/policy/executor.ts';
import { openGuards } from '../faults/policy/guards.ts';
import { venueGate } from '../faults/policy/venue-gate.ts';
import { rateLimiter } from '../faults/policy/rate-limiter.ts';
import type { ExchangeAdapter } from '../data/exchanges/adapter.ts';
import type { Adapters } from '../data/exchanges/registry.ts';
import type { Settings } from './settings.ts';

/** One exchange as this process asks it: its adapter, its hosts, and the one executor that everything it is asked goes through. */
export interface Venue {
  readonly adapter: ExchangeAdapter;
  readonly executor: Executor;
  readonly origins: readonly string[];
}

export type Venues = ReadonlyMap<Exchange, Venue>;

/** Every exchange there is. Gate and limiter live as long as the process, so every run of it shares them. */
export function venuesOf(ports: Ports, settings: Settings, adapters: Adapters): Venues {
  return new Map([...adapters].map(([exchange, adapter]): [Exchange, Venue] => {
    const executor = createExecutor({
      clock: ports.clock,
      random: ports.random.fork(`retry ${exchange}`),
      log: ports.log,
      guards: { ...openGuards, gate: venueGate(ports.clock), limiter: rateLimiter(ports.clock, { limits: adapter.limits, share: settings.rateShare }) },
      attemptTimeoutMs: settings.requestTimeoutMs,
      deadlineMs: settings.deadlineMs,
    });
    const own = settings.origins[exchange];
    return [exchange, { adapter, executor, origins: own === undefined ? adapter.origins : [own] }];
  }));
}

/** @throws RangeError for an exchange nobody knows: a defect, configuration was checked before. */
export function venueOf(venues: Venues, exchange: Exchange): Venue {
  const venue = venues.get(exchange);
  if (venue === undefined) throw new RangeError(`${exchange} is no exchange`);
  return venue;
}

/** Of these markets those whose venue has candles of this length. */
export const marketsAt = <T>(venues: Venues, markets: ReadonlyMap<Exchange, T>, interval: Interval): ReadonlyMap<Exchange, T> =>
  new Map([...markets].filter(([exchange]) => venueOf(venues, exchange).adapter.intervals.includes(interval)));
