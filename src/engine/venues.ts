import type { Ports } from '../kernel/ports.ts';
import type { Exchange } from '../market/exchange.ts';
import { createExecutor, type Executor } from '../faults/policy/executor.ts';
import { openGuards } from '../faults/policy/guards.ts';
import { venueGate } from '../faults/policy/venue-gate.ts';
import { windowLimiter } from '../faults/policy/window-limiter.ts';
import type { ExchangeAdapter } from '../data/exchanges/adapter.ts';
import { adapterOf } from '../data/exchanges/registry.ts';
import type { Settings } from './settings.ts';

/** One exchange as this process asks it: its adapter, its hosts, and the one executor that everything it is asked goes through. */
export interface Venue {
  readonly adapter: ExchangeAdapter;
  readonly executor: Executor;
  readonly origins: readonly string[];
}

export type Venues = ReadonlyMap<Exchange, Venue>;

/** The configured exchanges. Gate and limiter live as long as the process, so every run of it shares them. */
export function venuesOf(ports: Ports, settings: Settings): Venues {
  return new Map([...settings.markets.keys()].flatMap((exchange): [Exchange, Venue][] => {
    const adapter = adapterOf(exchange);
    if (adapter === null) return [];
    const limits = adapter.limits.map((limit) => ({ ...limit, counts: limit.name === 'RAW_REQUESTS' ? ('requests' as const) : ('weight' as const) }));
    const executor = createExecutor({
      clock: ports.clock,
      random: ports.random.fork(`retry ${exchange}`),
      log: ports.log,
      guards: { ...openGuards, gate: venueGate(ports.clock), limiter: windowLimiter(ports.clock, { limits, share: settings.rateShare }) },
      attemptTimeoutMs: settings.requestTimeoutMs,
      deadlineMs: settings.deadlineMs,
    });
    const own = settings.origins[exchange];
    return [[exchange, { adapter, executor, origins: own === undefined ? adapter.origins : [own] }]];
  }));
}

/** @throws RangeError for an exchange that is not configured: a defect, configuration was checked before. */
export function venueOf(venues: Venues, exchange: Exchange): Venue {
  const venue = venues.get(exchange);
  if (venue === undefined) throw new RangeError(`${exchange} is not configured`);
  return venue;
}
