import type { AlertLevel } from '../../errors/table.ts';
import { cut, fieldsOf, type Notification } from '../plan/notification.ts';
import type { Channel } from './channel.ts';
import { httpChannel, type HttpChannelPorts } from './http-channel.ts';

/** Colours of the bar beside a message. Only attachments have a bar, so the blocks are put into one. */
const COLOURS: Readonly<Record<AlertLevel, string>> = {
  critical: '#FF0000',
  error: '#FFA500',
  warning: '#FFFF00',
  info: '#00FF00',
};
const RESOLVED_COLOUR = '#00FF00';

// Source: Slack API reference, Block Kit limits.
const HEADER_CHARS_MAX = 150;
const TEXT_CHARS_MAX = 3_000;
const FIELDS_MAX = 10;
const FIELD_CHARS_MAX = 2_000;
/** Slack rejects messages above about 13,200 characters (`msg_blocks_too_long`). Source: slackapi/bolt-js#2509. */
const MESSAGE_CHARS_MAX = 12_000;
/** Incoming webhooks accept about one message per second. */
const PACE_MS = 1_000;

interface Text {
  readonly type: 'plain_text' | 'mrkdwn';
  readonly text: string;
}
interface Block {
  readonly type: 'header' | 'section';
  readonly text?: Text;
  readonly fields?: readonly Text[];
}

/** The body of an incoming webhook's request. `text` is what notifications show. */
export interface SlackMessage {
  readonly text: string;
  readonly attachments: readonly [
    { readonly color: string; readonly fallback: string; readonly ts: number; readonly blocks: readonly Block[] },
  ];
}

export function slackMessage(notification: Notification): SlackMessage {
  const isOver = notification.kind === 'resolve' || notification.kind === 'healed';
  const fields = fieldsOf(notification).map(
    ([name, value]): Text => ({
      type: 'mrkdwn',
      text: cut(`*${name}*\n${asCode(name, escaped(value))}`, FIELD_CHARS_MAX),
    }),
  );
  const body = [notification.text, ...notification.lines.map((line) => `• ${line}`)].join('\n');
  const header: Block = {
    type: 'header',
    text: { type: 'plain_text', text: cut(notification.title, HEADER_CHARS_MAX) },
  };
  const text: Block = { type: 'section', text: { type: 'mrkdwn', text: cut(escaped(body), TEXT_CHARS_MAX) } };
  return {
    text: cut(escaped(notification.title), TEXT_CHARS_MAX),
    attachments: [
      {
        color: isOver ? RESOLVED_COLOUR : COLOURS[notification.level],
        fallback: cut(notification.title, HEADER_CHARS_MAX),
        ts: Math.floor(notification.atMs / 1_000),
        blocks: [header, text, ...fieldBlocks(fields, MESSAGE_CHARS_MAX - TEXT_CHARS_MAX - body.length)],
      },
    ],
  };
}

/** Blocks of at most ten fields; fields beyond `charsMax` are left out. */
function fieldBlocks(fields: readonly Text[], charsMax: number): Block[] {
  let chars = 0;
  const kept = fields.filter(({ text }) => (chars += text.length) <= charsMax);
  const blocks: Block[] = [];
  for (let at = 0; at < kept.length; at += FIELDS_MAX)
    blocks.push({ type: 'section', fields: kept.slice(at, at + FIELDS_MAX) });
  return blocks;
}

/** Slack's three control characters. Source: Slack API reference, formatting text. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const asCode = (name: string, value: string): string => (name === 'Command' || name === 'Run' ? `\`${value}\`` : value);

export function slackChannel(
  ports: HttpChannelPorts,
  { name, isDefault, url }: { readonly name: string; readonly isDefault: boolean; readonly url: string },
): Channel {
  return httpChannel(
    ports,
    { name, isDefault, kind: 'slack', paceMs: PACE_MS, bundles: true },
    {
      message: ({ notification }) => ({
        url,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(slackMessage(notification)),
      }),
      isTaken: (_status, body) => body.trim() === 'ok',
      bodyHintMs: retryAfterOf,
    },
  );
}

/** `{"retry_after":1,"ok":false,"error":"rate_limited"}`, in seconds. Source: prometheus/alertmanager#2111. */
function retryAfterOf(body: string): number | null {
  const seconds = /"retry_after"\s*:\s*(\d{1,6})/.exec(body)?.[1];
  return seconds === undefined ? null : Number(seconds) * 1_000;
}
