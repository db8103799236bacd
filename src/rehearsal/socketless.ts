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
