import type { Clock } from '../../../src/platform/ports/clock.ts';
import { untilAborted } from '../../../src/platform/time-limit.ts';
import type { HttpPort } from '../../../src/platform/ports/http.ts';
import type { ResponseReply, StandInHandler, StandInRequest } from '../../../src/simulation/stand-ins/reply.ts';

/** An error with a `code`, as from undici or Node. */
const wireError = (code: string, message: string): Error => Object.assign(new Error(message), { code });

type Handlers = Readonly<Record<string, StandInHandler>>;

/** HTTP without sockets: stand-ins by origin, in virtual or real time. Fails with the codes of real connections. */
export function socketlessHttp(clock: Clock, handlers: Handlers): HttpPort {
  return {
    get: async ({ url, headers = {} }, signal) => {
      const {
        status,
        headers: responseHeaders,
        body,
      } = await send(clock, handlers, { url, method: 'GET', headers, body: Buffer.alloc(0) }, signal);
      return { status, headers: responseHeaders, body };
    },
  };
}

/** The same as `fetch`, for clients with their own protocol; failures reject as those of undici do. */
export function socketlessFetch(clock: Clock, handlers: Handlers): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    try {
      const body = new Uint8Array(await clock.track(request.arrayBuffer()));
      const { url, method, headers, signal } = request;
      const response = await send(clock, handlers, { url, method, headers: Object.fromEntries(headers), body }, signal);
      return new Response(response.body.length === 0 ? null : Buffer.from(response.body), {
        status: response.status,
        headers: { ...response.headers },
      });
    } catch (error) {
      request.signal.throwIfAborted();
      throw new TypeError('fetch failed', { cause: error });
    }
  };
}

type SentRequest = Omit<StandInRequest, 'path' | 'query'> & { readonly url: string };

async function send(
  clock: Clock,
  handlers: Handlers,
  { url, ...request }: SentRequest,
  signal: AbortSignal,
): Promise<ResponseReply> {
  signal.throwIfAborted();
  const { origin, pathname, searchParams } = new URL(url);
  const handler = handlers[origin];
  if (handler === undefined) throw wireError('ECONNREFUSED', `connect ECONNREFUSED ${origin}`);
  const reply = await handler({ ...request, path: pathname, query: searchParams }, clock.nowMs());
  if (reply.kind === 'reset') throw wireError('ECONNRESET', 'read ECONNRESET');
  if (reply.kind === 'silence' || reply.breaks?.how === 'stall')
    return untilAborted(new Promise<never>(() => undefined), signal);
  await clock.sleep(reply.delayMs ?? 0, signal);
  if (reply.breaks?.how === 'cut') throw wireError('UND_ERR_SOCKET', 'other side closed');
  return reply;
}
