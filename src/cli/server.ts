import { createHash, timingSafeEqual } from 'node:crypto';
import type { ServedResponse, ServedRequest } from '../platform/ports/http-server.ts';

/** What `start` serves, as plain functions: a socket is not needed to test it. */
export interface MonitoringSite {
  /** Bearer of every path but those that are open. */
  readonly token: string;
  readonly isMetricsOpen: boolean;
  /** Names this host may be called by, without port; null when it listens to the world. Another name is somebody's page that points its own name here. */
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

/** Everything needs the token unless it is listed as open, by its exact path. */
export async function serve(site: MonitoringSite, request: ServedRequest): Promise<ServedResponse> {
  const { method, path, headers } = request;
  if (site.hostNames !== null && !site.hostNames.includes(hostOf(headers['host'] ?? '')))
    return text(421, 'this server is not known by that name');
  if (path === '/healthz' && isReading(method)) return (await site.isHealthy()) ? text(200, 'ok') : text(503, 'unwell');
  const isOpen = path === '/metrics' && site.isMetricsOpen;
  if (!isOpen && !isBearer(headers['authorization'] ?? '', site.token))
    return text(401, 'a bearer token is needed (CANDLEKEEP_TOKEN, or the token file that start names)', {
      'www-authenticate': 'Bearer',
    });
  if (path !== '/metrics') return text(404, 'there is /healthz and /metrics');
  if (!isReading(method)) return text(405, 'only GET', { allow: 'GET, HEAD' });
  return { status: 200, headers: { 'content-type': METRICS_TYPE }, body: await site.metrics() };
}

const isReading = (method: string): boolean => method === 'GET' || method === 'HEAD';
const hostOf = (host: string): string => host.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '').toLowerCase();

/** Compared by hash, so that neither time nor length tells anything. */
function isBearer(header: string, token: string): boolean {
  const hash = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(hash(header), hash(`Bearer ${token}`));
}
