import type { ExchangeAPIError } from '../../errors/errors.ts';
import type { PageCall } from './page-call.ts';

type HostsOf = Pick<PageCall<unknown>, 'origins' | 'unrestrictedOrigin'>;

/** Which of an exchange's hosts the next request goes to, for all pages of one process. */
export interface Hosts {
  current(call: HostsOf): string;
  /**
   * Moves on from `origin` after a fault of that host. `free` when the retry elsewhere does not count as an
   * attempt: the host refused our region, and another does not.
   */
  leaveAfter(fault: ExchangeAPIError, origin: string, call: HostsOf): 'free' | 'counted';
}

export function hosts(): Hosts {
  let preferred: string | null = null;
  const current = ({ origins }: HostsOf): string =>
    preferred !== null && origins.includes(preferred) ? preferred : (origins[0] ?? '');
  return {
    current,
    leaveAfter: (fault, origin, call) => {
      const { origins, unrestrictedOrigin } = call;
      const isRegionRefused =
        fault.facts.status === 451 && unrestrictedOrigin !== null && origins.includes(unrestrictedOrigin);
      const isFree = isRegionRefused && origin !== unrestrictedOrigin;
      const next = isFree ? unrestrictedOrigin : fault.code === 'CONNECTION_FAILED' ? originAfter(origin, call) : null;
      // a page in flight that used an older host does not change the choice
      if (next !== null && current(call) === origin) preferred = next;
      return isFree ? 'free' : 'counted';
    },
  };
}

const originAfter = (origin: string, { origins }: HostsOf): string =>
  origins[(origins.indexOf(origin) + 1) % origins.length] ?? origin;
