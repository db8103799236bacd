import { createHmac, timingSafeEqual } from 'node:crypto';
import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { jsonReply, type ResponseReply, type StandInRequest } from '../../../src/simulation/stand-ins/reply.ts';
import { jsonOf, standInChannel, type StandInChannel } from './stand-in-channel.ts';

/** The body of a webhook request. */
export interface WebhookBody {
  readonly schema: number;
  readonly id: string;
  readonly dedup_key: string;
  readonly notice: {
    readonly kind: string;
    readonly title: string;
    readonly fingerprint: string;
    readonly lines: readonly string[];
  } & Readonly<Record<string, unknown>>;
}

/**
 * A receiver that checks signatures as Standard Webhooks says, and takes nothing unsigned or older than five minutes.
 */
export function standInWebhook({
  secret,
  plan,
}: {
  readonly secret: string;
  readonly plan?: FaultPlan;
}): StandInChannel<WebhookBody> {
  const read = (request: StandInRequest, nowMs: number): { message: WebhookBody } | { refusal: ResponseReply } => {
    const {
      'webhook-id': id = '',
      'webhook-timestamp': timestamp = '',
      'webhook-signature': signature = '',
    } = request.headers;
    const expected = Buffer.from(
      `v1,${createHmac('sha256', secret)
        .update(`${id}.${timestamp}.${Buffer.from(request.body).toString('utf8')}`)
        .digest('base64')}`,
    );
    const isSigned = signature.length === expected.length && timingSafeEqual(Buffer.from(signature), expected);
    if (!isSigned || Math.abs(nowMs / 1_000 - Number(timestamp)) > 300)
      return { refusal: jsonReply(401, { error: 'bad signature' }) };
    const message = jsonOf(request) as WebhookBody | null;
    return message === null || message.id !== id ? { refusal: jsonReply(400, { error: 'bad body' }) } : { message };
  };
  return standInChannel({
    read,
    taken: () => ({ kind: 'answer', status: 204, headers: {}, body: Buffer.alloc(0) }),
    errorBody: ({ message }) => ({ error: message }),
    ...(plan ? { plan } : {}),
  });
}
