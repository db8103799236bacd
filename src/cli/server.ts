import { createHash, timingSafeEqual } from 'node:crypto';
import type { ServedResponse, ServedRequest } from '../platform/ports/http-server.ts';

/** What `start` serves, as plain functions: tests need no socket. */
export interface MonitoringSite {
  /** Bearer token of every path that is not open. */
  readonly token: string;
  readonly isMetricsOpen: boolean;
  /**
   * Accepted Host names, without port; null when the server listens on a public address. Any other name is refused:
   * a web page may have pointed its own name at this machine (DNS rebinding).
   */
  readonly hostNames: readonly string[] | null;
  readonly isHealthy: () => Promise<boolean>;
  readonly metrics: () => Promise<string>;
}

/** Prometheus' text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const text = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): ServedResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  body: `${body}\n`,
});

/** Every request needs the token, except /healthz and, where it is open, /metrics. */
export async function serve(site: MonitoringSite, request: ServedRequest): Promise<ServedResponse> {
  const { method, path, headers } = request;
  if (site.hostNames !== null && !site.hostNames.includes(hostOf(headers['host'] ?? '')))
    return text(421, 'the Host header names another server');
  if (path === '/healthz' && isReading(method))
    return (await site.isHealthy()) ? text(200, 'ok') : text(503, 'unhealthy');
  const isOpen = path === '/metrics' && site.isMetricsOpen;
  if (!isOpen && !isBearer(headers['authorization'] ?? '', site.token))
    return text(401, 'a bearer token is required (CANDLEKEEP_TOKEN, or the token file that start names)', {
      'www-authenticate': 'Bearer',
    });
  if (path !== '/metrics') return text(404, 'the paths are /healthz and /metrics');
  if (!isReading(method)) return text(405, 'only GET and HEAD', { allow: 'GET, HEAD' });
  return { status: 200, headers: { 'content-type': METRICS_TYPE }, body: await site.metrics() };
}

const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD';
const hostOf = (host: string): string => host.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '').toLowerCase();

/** Compares hashes in constant time: neither duration nor length reveals the token. */
function isBearer(header: string, token: string): boolean {
  const hash = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(hash(header), hash(`Bearer ${token}`));
}
