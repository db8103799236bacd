import type { NetworkSettings } from '../../platform/network-settings.ts';
import type { Ports } from '../../platform/ports/ports.ts';
import type { Exchange } from '../../domain/exchange.ts';
import type { Interval } from '../../domain/interval.ts';
import { createExecutor, type Executor } from '../../resilience/retry/executor.ts';
import type { ResiliencePolicies, HaltSwitch } from '../../resilience/policies.ts';
import { exchangePolicies } from '../../resilience/exchange-policies.ts';
import type { ExchangeAdapter } from '../../exchanges/adapter.ts';
import type { Adapters } from '../../exchanges/registry.ts';
import type { Settings } from './settings.ts';

/** One exchange as this process asks it: its adapter, its hosts, and what everything it is asked has to pass. */
export interface Venue {
  readonly adapter: ExchangeAdapter;
  readonly policies: ResiliencePolicies;
  readonly executor: Executor;
  readonly origins: readonly string[];
}

export type Venues = ReadonlyMap<Exchange, Venue>;

/** Every exchange there is. What the guards know is shared with every process on this data directory; the rest lives as long as the process. */
export function venuesOf(
  ports: Ports,
  settings: Settings,
  { adapters, halts }: { readonly adapters: Adapters; readonly halts: HaltSwitch },
): Venues {
  const times = { attemptTimeoutMs: settings.requestTimeoutMs, deadlineMs: settings.deadlineMs };
  return new Map(
    [...adapters].map(([exchange, adapter]): [Exchange, Venue] => {
      const venue = { exchange, egress: egressName(settings.network) };
      const policies = exchangePolicies({
        ...times,
        clock: ports.clock,
        log: ports.log,
        store: ports.limits,
        venue,
        halts,
        prior: adapter.limits,
        share: settings.rateShare,
      });
      const executor = createExecutor({
        ...times,
        clock: ports.clock,
        random: ports.random.fork(`retry ${exchange}`),
        log: ports.log,
        policies,
      });
      const own = settings.origins[exchange];
      return [exchange, { adapter, policies, executor, origins: own === undefined ? adapter.origins : [own] }];
    }),
  );
}

/** Limits count by address: what leaves through a proxy or another address is another customer to the venue. */
const egressName = ({ egress, httpsProxy }: NetworkSettings): string =>
  egress?.name ?? (httpsProxy === null ? 'direct' : 'proxy');

/** @throws RangeError for an exchange nobody knows: a defect, configuration was checked before. */
export function venueOf(venues: Venues, exchange: Exchange): Venue {
  const venue = venues.get(exchange);
  if (venue === undefined) throw new RangeError(`${exchange} is no exchange`);
  return venue;
}

/** Of these markets those whose venue has candles of this length. */
export const marketsAt = <T>(
  venues: Venues,
  markets: ReadonlyMap<Exchange, T>,
  interval: Interval,
): ReadonlyMap<Exchange, T> =>
  new Map([...markets].filter(([exchange]) => venueOf(venues, exchange).adapter.intervals.includes(interval)));

/** When exchanges that asked to be left alone may be asked again; those that may be now are absent. */
export type OpeningTimes = ReadonlyMap<Exchange, number>;

export async function openingTimes(venues: Venues): Promise<OpeningTimes> {
  const times = new Map<Exchange, number>();
  for (const [exchange, { policies: guards }] of venues) {
    const opensAtMs = await guards.gate.opensAtMs();
    if (opensAtMs !== null) times.set(exchange, opensAtMs);
  }
  return times;
}
