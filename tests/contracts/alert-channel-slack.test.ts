import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StandInReply } from '../../src/simulation/stand-ins/reply.ts';
import { slackMessage } from '../../src/alerting/channels/slack.ts';
import type { Notification } from '../../src/alerting/plan/notification.ts';
import { standInSlack } from '../support/stand-ins/stand-in-slack.ts';
import {
  anyNotification,
  describeHttpChannel,
  failureOf,
  NOTIFICATION,
  openHttp,
  requestOf,
  SLACK_PATH,
  type HttpCase,
} from './alert-channel-contract.ts';

const SLACK: HttpCase = {
  kind: 'slack',
  standIn: () => standInSlack(),
  settings: (origin) => ({ name: 'chat', isDefault: true, kind: 'slack', url: `${origin}${SLACK_PATH}` }),
  acceptsAnyBody: false,
  acceptedStatus: 200,
};

describeHttpChannel(SLACK);

test('a wait given only in the body is honoured', async () => {
  const { channel } = await openHttp({
    ...SLACK,
    standIn: () => ({
      ...standInSlack(),
      handle: () => ({
        kind: 'answer',
        status: 429,
        headers: {},
        body: Buffer.from('{"retry_after":30,"ok":false,"error":"rate_limited"}'),
      }),
    }),
  });
  expect(await failureOf(channel)).toMatchObject({ facts: { failure: 'limited', retryAfterMs: 30_000 } });
});

test('each level has its colour, and the end is green', () => {
  const colour = (notice: Partial<Notification>): string =>
    slackMessage({ ...NOTIFICATION, ...notice }).attachments[0].color;
  expect((['critical', 'error', 'warning', 'info'] as const).map((level) => colour({ level }))).toEqual([
    '#FF0000',
    '#FFA500',
    '#FFFF00',
    '#00FF00',
  ]);
  expect(colour({ level: 'critical', kind: 'resolve' })).toBe('#00FF00');
});

test("a message has a bar in the level's colour, the title, fields and the time", () => {
  const [attachment] = slackMessage(NOTIFICATION).attachments;
  expect(slackMessage(NOTIFICATION).text).toBe(NOTIFICATION.title);
  expect(attachment).toMatchObject({
    color: '#FFA500',
    ts: NOTIFICATION.atMs / 1_000,
    blocks: [
      { type: 'header', text: { text: NOTIFICATION.title } },
      { type: 'section' },
      { type: 'section' },
      { type: 'section' },
    ],
  });
  expect(attachment.blocks.flatMap(({ fields = [] }) => fields.map(({ text }) => text.split('\n')[0]))).toEqual([
    '*Code*',
    '*Exchange*',
    '*Asset*',
    '*Run*',
    '*Affected*',
    '*Since*',
    '*Safe*',
    '*Next*',
    '*Command*',
    '*Runbook*',
    '*Tags*',
    '*From*',
  ]);
});

test('every alert keeps the limits of Slack', () => {
  fc.assert(
    fc.property(anyNotification, (notification) => {
      const reply = standInSlack().handle(requestOf(SLACK_PATH, slackMessage(notification)), 0) as StandInReply;
      expect(reply.kind === 'answer' && `${reply.status} ${Buffer.from(reply.body).toString()}`).toBe('200 ok');
    }),
    { numRuns: 60 },
  );
});
