/** A request as a stand-in sees it. */
export interface StandInRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A complete response, or a part of one when the connection breaks or stalls. */
export interface ResponseReply {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Before the first byte. */
  readonly delayMs?: number;
  /** After `afterBytes` of the body: `cut` closes the connection, `stall` sends nothing more. */
  readonly breaks?: { readonly how: 'cut' | 'stall'; readonly afterBytes: number };
}

export type StandInReply =
  | ResponseReply
  | { readonly kind: 'reset' } // the connection is reset before any byte
  | { readonly kind: 'silence' }; // connected, and no response ever

/** A server without sockets that stands in for an exchange, the Hub or a channel. */
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
