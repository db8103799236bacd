import { Agent, request, type Dispatcher } from 'undici';

/** One request, before any policy. Only GET: exchanges are read, never written. */
export interface HttpRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole answer: a cut or stalled body is an error, never a short `body`. */
export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names; a repeated header is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/**
 * The wire. Rejects with what the transport says (`ECONNRESET`, `UND_ERR_*`, ...) or with the
 * signal's reason. Never retries: retrying is decided in one place, `faults/policy`.
 */
export interface HttpPort {
  get(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
}

/** No candle page or symbol list comes near this; a larger body is cut off as hostile. Unit: bytes. */
export const BODY_BYTES_MAX = 64 * 1024 * 1024;

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
}

/** undici over real sockets. Its own timeouts are off: the attempt timeout covers headers and body. */
export function undiciHttp(dispatcher: Dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connections: 32 })): HttpPort & { close(): Promise<void> } {
  return {
    get: async ({ url, headers }, signal) => {
      const answer = await request(url, { dispatcher, signal, headers: { 'user-agent': 'candlekeep', accept: 'application/json', ...headers } });
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
        bytes += chunk.length;
        if (bytes > BODY_BYTES_MAX) throw new BodyTooLargeError(`the answer is larger than ${BODY_BYTES_MAX} bytes`);
        chunks.push(chunk);
      }
      return { status: answer.statusCode, headers: joined(answer.headers), body: Buffer.concat(chunks) };
    },
    close: () => dispatcher.destroy(),
  };
}

const joined = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value]])),
  );

/** For clients that bring their own protocol and take a fetch. */
export const realFetch: typeof globalThis.fetch = (input, init) => fetch(input, init);
