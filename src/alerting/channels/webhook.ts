import { createHmac } from 'node:crypto';
import type { Channel, Dispatch } from './channel.ts';
import { httpChannel, type HttpChannelPorts, type HttpMessage } from './http-channel.ts';

interface WebhookTarget {
  readonly name: string;
  readonly isDefault: boolean;
  readonly url: string;
  /** Signs every request; null sends them unsigned. */
  readonly secret: string | null;
}

/**
 * Body: `{schema, id, dedup_key, notice}`. Headers: those of Standard Webhooks. `webhook-id` is the same for each send
 * of a message; `webhook-signature` is `v1,` followed by the base64 HMAC-SHA256 of `id.timestamp.body`.
 */
function webhookMessage(
  { id, dedupKey, notification }: Dispatch,
  { url, secret }: Pick<WebhookTarget, 'url' | 'secret'>,
  nowMs: number,
): HttpMessage {
  const body = JSON.stringify({ schema: 1, id, dedup_key: dedupKey, notice: notification });
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signed = `${id}.${timestamp}.${body}`;
  const signature =
    secret === null
      ? {}
      : { 'webhook-signature': `v1,${createHmac('sha256', secret).update(signed).digest('base64')}` };
  return {
    url,
    headers: { 'content-type': 'application/json', 'webhook-id': id, 'webhook-timestamp': timestamp, ...signature },
    body,
  };
}

export function webhookChannel(ports: HttpChannelPorts, target: WebhookTarget): Channel {
  const { name, isDefault } = target;
  return httpChannel(
    ports,
    { name, isDefault, kind: 'webhook', paceMs: 0, bundles: false },
    {
      message: (dispatch, nowMs) => webhookMessage(dispatch, target, nowMs),
      isTaken: () => true,
    },
  );
}
