import type { Clock } from '../../platform/ports/clock.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import { parseRetryAfter } from '../../resilience/retry/retry-after.ts';
import { AlertChannelError, type ChannelFailure } from '../../errors/errors.ts';
import { SEND_MS_MAX, type Channel, type Dispatch } from './channel.ts';

export interface HttpChannelPorts {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
}

export interface HttpMessage {
  /** A secret: it never appears in an error. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The protocol of one kind of channel. */
export interface HttpProtocol {
  message(dispatch: Dispatch, nowMs: number): HttpMessage;
  /** True when this successful status with this body means that the message was accepted. */
  isTaken(status: number, body: string): boolean;
  /** A wait given in the body instead of a header; null without one. Unit: milliseconds. */
  bodyHintMs?(body: string): number | null;
}

/** A channel that accepts messages by POST. */
export function httpChannel(ports: HttpChannelPorts, entry: Omit<Channel, 'send'>, protocol: HttpProtocol): Channel {
  return {
    ...entry,
    send: async (dispatch, signal) => {
      const response = await post(
        ports,
        { channel: entry.name, message: protocol.message(dispatch, ports.clock.nowMs()) },
        signal,
      );
      if (response.status >= 200 && response.status < 300 && protocol.isTaken(response.status, response.body)) return;
      throw refusal(entry.name, response, protocol.bodyHintMs?.(response.body) ?? null);
    },
  };
}

interface ChannelResponse {
  readonly status: number;
  readonly body: string;
  /** The wait in Retry-After; null without one. Unit: milliseconds. */
  readonly hintMs: number | null;
}

/** Responses of channels are short; the rest is dropped. Unit: characters. */
const RESPONSE_CHARS_MAX = 10_000;

async function post(
  { clock, fetch }: HttpChannelPorts,
  { channel, message }: { readonly channel: string; readonly message: HttpMessage },
  outer: AbortSignal,
): Promise<ChannelResponse> {
  const timeoutError = (): Error => unreachable(channel, `no response within ${SEND_MS_MAX / 1_000} s`);
  try {
    return await withTimeLimit(clock, { limitMs: SEND_MS_MAX, timeoutError, outer }, async (signal) => {
      // A redirect would send the alert, and its secrets, to an address that is not configured.
      const response = await fetch(message.url, {
        method: 'POST',
        headers: message.headers,
        body: message.body,
        redirect: 'manual',
        signal,
      });
      const body = (await response.text()).slice(0, RESPONSE_CHARS_MAX);
      return {
        status: response.status,
        body,
        hintMs: parseRetryAfter(response.headers.get('retry-after') ?? undefined, clock.nowMs()),
      };
    });
  } catch (error) {
    outer.throwIfAborted();
    if (error instanceof AlertChannelError) throw error;
    throw unreachable(channel, wireCodeOf(error), error);
  }
}

const unreachable = (channel: string, why: string, cause?: unknown): AlertChannelError =>
  new AlertChannelError(
    `${channel} cannot be reached: ${why}`,
    { channel, failure: 'transient', status: null, retryAfterMs: null },
    { cause },
  );

/** The transport's code: `ECONNREFUSED`, `UND_ERR_SOCKET`, ... @throws the error when it does not come from `fetch`. */
export function wireCodeOf(error: unknown): string {
  for (
    let cause: unknown = error, depth = 0;
    Error.isError(cause) && depth < CAUSES_MAX;
    cause = cause.cause, depth++
  ) {
    if ('code' in cause && typeof cause.code === 'string') return cause.code;
  }
  if (Error.isError(error) && error.name === 'TypeError' && Error.isError(error.cause))
    return 'the address cannot be fetched'; // e.g. a port that the fetch standard blocks
  throw error;
}
const CAUSES_MAX = 4;

function refusal(
  channel: string,
  { status, body, hintMs }: ChannelResponse,
  bodyHintMs: number | null,
): AlertChannelError {
  const failure = failureOf(status);
  const said = body.trim().split('\n')[0]?.slice(0, 120) ?? '';
  const message = `${channel} answered ${status}${said === '' ? '' : ` (${said})`}`;
  return new AlertChannelError(message, { channel, failure, status, retryAfterMs: hintMs ?? bodyHintMs });
}

/** 400, 413 and 422 reject the message. Other 3xx and 4xx statuses (401, 403, 404, 410, ...) concern the channel. */
function failureOf(status: number): ChannelFailure {
  if (status === 429) return 'limited';
  if ([400, 413, 422].includes(status)) return 'refused';
  return status >= 300 && status < 500 && ![408, 425].includes(status) ? 'permanent' : 'transient';
}
