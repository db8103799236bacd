import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../platform/ports/clock.ts';
import type { ResponseReply, StandInHandler } from './stand-ins/reply.ts';

export interface LoopbackServer {
  /** Origin, e.g. `http://127.0.0.1:41234`. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves a stand-in on 127.0.0.1; port 0 takes any free port. */
export async function serveOnLoopback(
  handler: StandInHandler,
  { clock, port = 0 }: { readonly clock: Clock; readonly port?: number },
): Promise<LoopbackServer> {
  const server = createServer((incoming, outgoing) => {
    response(handler, clock, { incoming, outgoing }).catch((error: unknown) =>
      outgoing.destroy(Error.isError(error) ? error : undefined),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${bound}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface HttpExchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

async function response(handler: StandInHandler, clock: Clock, { incoming, outgoing }: HttpExchange): Promise<void> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) chunks.push(chunk);
  const url = new URL(incoming.url ?? '/', 'http://stand-in');
  const headers = Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  const reply = await handler(
    {
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers,
      body: Buffer.concat(chunks),
    },
    clock.nowMs(),
  );
  if (reply.kind === 'silence') return;
  if (reply.kind === 'reset') {
    incoming.socket.resetAndDestroy();
    return;
  }
  if (reply.delayMs !== undefined) await clock.sleep(reply.delayMs);
  send(reply, { incoming, outgoing });
}

function send(reply: ResponseReply, { incoming, outgoing }: HttpExchange): void {
  outgoing.writeHead(reply.status, {
    ...reply.headers,
    'content-length': String(reply.headers['content-length'] ?? reply.body.length),
  });
  if (incoming.method === 'HEAD') outgoing.end();
  else if (reply.breaks === undefined) outgoing.end(reply.body);
  else {
    const { how, afterBytes } = reply.breaks;
    outgoing.write(reply.body.subarray(0, afterBytes), () => {
      if (how === 'cut') incoming.socket.destroy();
    });
  }
}
