import { isIP } from 'node:net';

/** A way out to the exchanges: a proxy, or a local address to send from. */
export type Egress = { readonly name: string } & ({ readonly proxyUrl: string } | { readonly localAddress: string });

/** True for an IP address such as `127.0.0.1` or `::1`. */
export const isAddress = (text: string): boolean => isIP(text) !== 0;

/** How outgoing connections are made. */
export interface NetworkSettings {
  /** For https, unless an egress is configured. */
  readonly httpsProxy: string | null;
  /** Hosts reached without `httpsProxy`, as in the variable NO_PROXY. */
  readonly noProxy: string | null;
  /** Additional trusted certificates, PEM. */
  readonly caPem: string | null;
  readonly egress: Egress | null;
}

export const DIRECT: NetworkSettings = { httpsProxy: null, noProxy: null, caPem: null, egress: null };
