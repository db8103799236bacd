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

/** One exchange as this process reaches it: its adapter, its hosts, and the policies every request passes. */
export interface Venue {
  readonly adapter: ExchangeAdapter;
  readonly policies: ResiliencePolicies;
  readonly executor: Executor;
  readonly origins: readonly string[];
}

export type Venues = ReadonlyMap<Exchange, Venue>;

/** All exchanges. Processes of one data directory share the state of the policies; executors are per process. */
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
        http: ports.http,
        log: ports.log,
        policies,
      });
      const own = settings.origins[exchange];
      return [exchange, { adapter, policies, executor, origins: own === undefined ? adapter.origins : [own] }];
    }),
  );
}

/** Exchanges count requests per address, so each proxy or local address has limits of its own. */
const egressName = ({ egress, httpsProxy }: NetworkSettings): string =>
  egress?.name ?? (httpsProxy === null ? 'direct' : 'proxy');

/** @throws RangeError for an unknown exchange: a defect, because configuration was checked before. */
export function venueOf(venues: Venues, exchange: Exchange): Venue {
  const venue = venues.get(exchange);
  if (venue === undefined) throw new RangeError(`${exchange} is not a known exchange`);
  return venue;
}

/** The markets whose exchange offers this interval. */
export const marketsAt = <T>(
  venues: Venues,
  markets: ReadonlyMap<Exchange, T>,
  interval: Interval,
): ReadonlyMap<Exchange, T> =>
  new Map([...markets].filter(([exchange]) => venueOf(venues, exchange).adapter.intervals.includes(interval)));

/** When each closed exchange may be requested again. Unit: epoch milliseconds. Open exchanges are left out. */
export type OpeningTimes = ReadonlyMap<Exchange, number>;

export async function openingTimes(venues: Venues): Promise<OpeningTimes> {
  const times = new Map<Exchange, number>();
  for (const [exchange, { policies }] of venues) {
    const opensAtMs = await policies.gate.opensAtMs();
    if (opensAtMs !== null) times.set(exchange, opensAtMs);
  }
  return times;
}
