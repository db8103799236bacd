import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HttpServer, HttpService, ServedAddress, ServedResponse } from '../ports/http-server.ts';

const REQUEST_MS_MAX = 10_000;

/** Listens until closed. @throws Node's error (`EADDRINUSE`, `EACCES`, ...) when it cannot listen on the address. */
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
