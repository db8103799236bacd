import { untilAborted, type Clock } from '../kernel/clock.ts';
import type { HttpPort } from '../kernel/http.ts';
import type { StandInHandler } from './reply.ts';

/** An error as undici or Node shapes it: told by `code`. */
const wireError = (code: string, message: string): Error => Object.assign(new Error(message), { code });

/** The wire without sockets: stand-ins by origin, in virtual or real time. Fails with the codes the real wire has. */
export function socketlessHttp(clock: Clock, handlers: Readonly<Record<string, StandInHandler>>): HttpPort {
  return {
    get: async ({ url, headers = {} }, signal) => {
      signal.throwIfAborted();
      const { origin, pathname, searchParams } = new URL(url);
      const handler = handlers[origin];
      if (handler === undefined) throw wireError('ECONNREFUSED', `connect ECONNREFUSED ${origin}`);
      const reply = await handler({ method: 'GET', path: pathname, query: searchParams, headers, body: Buffer.alloc(0) }, clock.nowMs());
      if (reply.kind === 'reset') throw wireError('ECONNRESET', 'read ECONNRESET');
      if (reply.kind === 'silence' || reply.breaks?.how === 'stall') return untilAborted(new Promise<never>(() => undefined), signal);
      await clock.sleep(reply.delayMs ?? 0, signal);
      if (reply.breaks?.how === 'cut') throw wireError('UND_ERR_SOCKET', 'other side closed');
      return { status: reply.status, headers: reply.headers, body: reply.body };
    },
  };
}

/** The same wire as `fetch` sees it, for clients that bring their own protocol. */
export function socketlessFetch(clock: Clock, handlers: Readonly<Record<string, StandInHandler>>): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname, searchParams } = new URL(request.url);
    const handler = handlers[origin];
    if (handler === undefined) throw new TypeError('fetch failed', { cause: wireError('ECONNREFUSED', `connect ECONNREFUSED ${origin}`) });
    const body = new Uint8Array(await clock.track(request.arrayBuffer()));
    const reply = await handler({ method: request.method, path: pathname, query: searchParams, headers: Object.fromEntries(request.headers), body }, clock.nowMs());
    if (reply.kind === 'silence') return untilAborted(new Promise<never>(() => undefined), request.signal);
    if (reply.kind === 'reset') throw new TypeError('fetch failed', { cause: wireError('UND_ERR_SOCKET', 'other side closed') });
    return new Response(reply.body.length === 0 ? null : Buffer.from(reply.body), { status: reply.status, headers: { ...reply.headers } });
  };
}
