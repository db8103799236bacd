import type { FaultPlan } from '../../../src/simulation/fault-plan.ts';
import {
  jsonReply,
  textReply,
  type ResponseReply,
  type StandInRequest,
} from '../../../src/simulation/stand-ins/reply.ts';
import { jsonOf, standInChannel, type StandInChannel } from './stand-in-channel.ts';

interface Text {
  readonly type: string;
  readonly text: string;
}
interface Block {
  readonly type: string;
  readonly text?: Text;
  readonly fields?: readonly Text[];
}

/** The part of Slack's message format that we send. */
export interface SlackBody {
  readonly text: string;
  readonly attachments: readonly { readonly color: string; readonly ts: number; readonly blocks: readonly Block[] }[];
}

/** One message per second, with a small burst. */
const INTERVAL_MS = 1_000;
const BURST_MAX = 3;
const BLOCKS_MAX = 50;
const MESSAGE_CHARS_MAX = 13_200;

/** An incoming webhook of Slack at `path`. Source: Slack API reference; limits are repeated on purpose. */
export function standInSlack({
  path = '/services/T0/B0/secret',
  plan,
}: {
  readonly path?: string;
  readonly plan?: FaultPlan;
} = {}): StandInChannel<SlackBody> {
  let spentUntilMs = 0;
  const read = (request: StandInRequest, nowMs: number): { message: SlackBody } | { refusal: ResponseReply } => {
    if (request.path !== path) return { refusal: textReply(404, 'no_service') };
    if (spentUntilMs - nowMs > INTERVAL_MS * (BURST_MAX - 1))
      return { refusal: jsonReply(429, { retry_after: 1, ok: false, error: 'rate_limited' }, { 'retry-after': '1' }) };
    spentUntilMs = Math.max(spentUntilMs, nowMs) + INTERVAL_MS;
    const message = jsonOf(request) as SlackBody | null;
    const rejection = request.method !== 'POST' || message === null ? 'invalid_payload' : rejectionOf(message);
    return rejection === null && message !== null
      ? { message }
      : { refusal: textReply(400, rejection ?? 'invalid_payload') };
  };
  return standInChannel({
    read,
    taken: () => textReply(200, 'ok'),
    errorBody: ({ status }) =>
      status === 429 ? { retry_after: 1, ok: false, error: 'rate_limited' } : { ok: false, error: 'rollup_error' },
    ...(plan ? { plan } : {}),
  });
}

function rejectionOf({ text, attachments }: SlackBody): string | null {
  const blocks = (attachments ?? []).flatMap((attachment) => attachment.blocks ?? []);
  if (typeof text !== 'string' || text === '' || blocks.length === 0) return 'no_text';
  if ((attachments ?? []).some(({ color, ts }) => !/^#[0-9A-F]{6}$/.test(color) || !Number.isInteger(ts)))
    return 'invalid_attachments';
  if (blocks.length > BLOCKS_MAX || blocks.some((block) => !isValid(block))) return 'invalid_blocks';
  return JSON.stringify(attachments).length > MESSAGE_CHARS_MAX ? 'msg_blocks_too_long' : null;
}

function isValid({ type, text, fields }: Block): boolean {
  if (type === 'header') return text?.type === 'plain_text' && text.text.length > 0 && text.text.length <= 150;
  if (type !== 'section' || (text === undefined && fields === undefined)) return false;
  const isTextValid = text === undefined || (text.text.length > 0 && text.text.length <= 3_000);
  return (
    isTextValid &&
    (fields === undefined ||
      (fields.length > 0 &&
        fields.length <= 10 &&
        fields.every((field) => field.text.length > 0 && field.text.length <= 2_000)))
  );
}
