import { isIP } from 'node:net';

/** The way out: through a proxy, or from one of this machine's addresses. */
export type Egress = { readonly name: string } & ({ readonly proxyUrl: string } | { readonly localAddress: string });

/** `127.0.0.1` or `::1`: an address that an egress can be bound to. */
export const isAddress = (text: string): boolean => isIP(text) !== 0;

/** How the outside is reached. */
export interface NetworkSettings {
  /** For https, unless an egress says otherwise. */
  readonly httpsProxy: string | null;
  /** Hosts reached without `httpsProxy`, as in the variable NO_PROXY. */
  readonly noProxy: string | null;
  /** Certificates to trust besides the usual ones, PEM. */
  readonly caPem: string | null;
  readonly egress: Egress | null;
}

export const DIRECT: NetworkSettings = { httpsProxy: null, noProxy: null, caPem: null, egress: null };
