import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a handler gets to see of a request. Bodies are not read: nothing is changed through this door. */
export interface ServedRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface ServedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ServedAddress {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
}

export interface HttpServer {
  /** `http://127.0.0.1:4680`. */
  readonly url: string;
  close(): Promise<void>;
}

/** What a handler fails with is answered 500 and told to `onError`; the caller learns nothing of it. */
export interface HttpService {
  readonly handle: (request: ServedRequest) => Promise<ServedResponse>;
  readonly onError: (error: unknown) => void;
}

const REQUEST_MS_MAX = 10_000;

/** Listens until it is closed. @throws Node's error (`EADDRINUSE`, `EACCES`, ...) when the address cannot be had. */
export async function serveHttp({ host, port }: ServedAddress, service: HttpService): Promise<HttpServer> {
  const server = createServer(
    { requestTimeout: REQUEST_MS_MAX, headersTimeout: REQUEST_MS_MAX },
    (incoming, outgoing) => void response(service, incoming, outgoing),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function response(
  { handle, onError }: HttpService,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  incoming.resume();
  let reply: ServedResponse;
  try {
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    );
    reply = await handle({
      method: incoming.method ?? 'GET',
      path: (incoming.url ?? '/').split('?')[0] ?? '/',
      headers,
    });
  } catch (error) {
    onError(error);
    reply = { status: 500, headers: {}, body: 'internal error\n' };
  }
  outgoing.writeHead(reply.status, {
    ...reply.headers,
    'content-length': String(Buffer.byteLength(reply.body)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  outgoing.end(incoming.method === 'HEAD' ? undefined : reply.body);
}
