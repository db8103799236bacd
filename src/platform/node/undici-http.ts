import { getCACertificates } from 'node:tls';
import type * as undiciPackage from 'undici';
import type { Dispatcher } from 'undici';
import type { HttpPort } from '../ports/http.ts';
import { BODY_BYTES_MAX, BodyTooLargeError } from '../body-limit.ts';
import { DIRECT, type NetworkSettings } from '../network-settings.ts';

/** Concurrent connections to one host. */
const CONNECTIONS_MAX = 32;

type Undici = typeof undiciPackage;

/** undici's own timeouts are off: the timeout of the attempt covers headers and body. */
function dispatcherOf(
  { Agent, EnvHttpProxyAgent, ProxyAgent }: Undici,
  { httpsProxy, noProxy, caPem, egress }: NetworkSettings,
): Dispatcher {
  const tls = caPem === null ? {} : { ca: [...getCACertificates('default'), caPem] };
  const options = { headersTimeout: 0, bodyTimeout: 0, connections: CONNECTIONS_MAX, requestTls: tls, proxyTls: tls };
  if (egress !== null && 'proxyUrl' in egress) return new ProxyAgent({ ...options, uri: egress.proxyUrl });
  if (egress !== null) return new Agent({ ...options, connect: tls, localAddress: egress.localAddress });
  if (httpsProxy === null) return new Agent({ ...options, connect: tls });
  return new EnvHttpProxyAgent({ ...options, connect: tls, httpProxy: '', httpsProxy, noProxy: noProxy ?? '' });
}

export interface RealHttp extends HttpPort {
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}

/** undici over real sockets, for exchanges and, as `fetch`, for clients with their own protocol. */
export function undiciHttp(network: NetworkSettings = DIRECT): RealHttp {
  let opened: Promise<{ readonly undici: Undici; readonly dispatcher: Dispatcher }> | null = null;
  /** Loaded with the first request: undici was a fifth of the start-up time of every command. */
  const wire = (): NonNullable<typeof opened> =>
    (opened ??= import('undici').then((undici) => ({ undici, dispatcher: dispatcherOf(undici, network) })));
  return {
    get: async ({ url, headers }, signal) => {
      const { undici, dispatcher } = await wire();
      const response = await undici.request(url, {
        dispatcher,
        signal,
        headers: { 'user-agent': 'candlekeep', accept: 'application/json', ...headers },
      });
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        if (bytes > BODY_BYTES_MAX) throw new BodyTooLargeError(`the response is larger than ${BODY_BYTES_MAX} bytes`);
        chunks.push(chunk);
      }
      return { status: response.statusCode, headers: joined(response.headers), body: Buffer.concat(chunks) };
    },
    fetch: (async (input: string, init: object) => {
      const { undici, dispatcher } = await wire();
      return undici.fetch(input, { ...init, dispatcher });
    }) as unknown as typeof globalThis.fetch,
    close: async () => {
      const wireIfOpen = await opened?.catch(() => null); // the request that opened it has reported the failure
      await wireIfOpen?.dispatcher.destroy();
    },
  };
}

const joined = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
