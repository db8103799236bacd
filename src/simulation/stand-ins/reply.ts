/** What a stand-in server gets to see of a request. */
export interface StandInRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A whole answer, or a part of one when the connection is to break or to stall. */
export interface ResponseReply {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Before the first byte. */
  readonly delayMs?: number;
  /** So many bytes of the body are sent and then: `cut` the connection closes, `stall` nothing more comes. */
  readonly breaks?: { readonly how: 'cut' | 'stall'; readonly afterBytes: number };
}

export type StandInReply =
  | ResponseReply
  | { readonly kind: 'reset' } // the connection is reset before any byte
  | { readonly kind: 'silence' }; // connected, and nothing ever comes

/** A server without sockets: what stands in for an exchange, the Hub, a channel. */
export type StandInHandler = (request: StandInRequest, nowMs: number) => StandInReply | Promise<StandInReply>;

export const jsonReply = (
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): ResponseReply => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'application/json;charset=UTF-8', ...headers },
  body: Buffer.from(JSON.stringify(value)),
});

export const textReply = (
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): ResponseReply => ({
  kind: 'answer',
  status,
  headers: { 'content-type': 'text/html', ...headers },
  body: Buffer.from(text),
});
