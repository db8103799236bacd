import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../src/platform/ports/clock.ts';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { undiciHttp } from '../../src/platform/node/undici-http.ts';
import { smtpMail } from '../../src/platform/node/smtp-mail.ts';
import type { Channel, Dispatch } from '../../src/alerting/channels/channel.ts';
import { emailOf } from '../../src/alerting/channels/email.ts';
import { pagerDutyEvent } from '../../src/alerting/channels/pagerduty.ts';
import { slackMessage } from '../../src/alerting/channels/slack.ts';
import type { Notification } from '../../src/alerting/plan/notification.ts';
import { openChannels, type ChannelSettings } from '../../src/alerting/model/settings.ts';
import { AlertChannelError } from '../../src/errors/errors.ts';
import type { FaultSpec } from '../../src/simulation/fault-plan.ts';
import { serveOnLoopback } from '../../src/simulation/loopback.ts';
import type { StandInReply, StandInRequest } from '../../src/simulation/stand-ins/reply.ts';
import type { StandInChannel } from '../support/stand-in-channel.ts';
import { standInPagerDuty } from '../support/stand-in-pagerduty.ts';
import { standInSlack } from '../support/stand-in-slack.ts';
import { standInSmtp, type MailFault, type StandInSmtp } from '../support/stand-in-smtp.ts';
import { standInWebhook } from '../support/stand-in-webhook.ts';

const ROUTING_KEY = 'R0UT1NGK3Y'.padEnd(32, 'x');
const SECRET = 'webhook-secret';
const SLACK_PATH = '/services/T0/B0/secret';
const SECRETS = [ROUTING_KEY, SECRET, SLACK_PATH, 'smtp-password'];

const NOTIFICATION: Notification = {
  kind: 'trigger',
  instance: 'test',
  fingerprint: 'binance/REQUEST_REJECTED/bronze_binance_ohlcv',
  code: 'REQUEST_REJECTED',
  exchange: 'binance',
  asset: 'bronze_binance_ohlcv',
  level: 'error',
  title: '[ERROR] REQUEST_REJECTED at binance: 3 of 40 symbols failed',
  text: '3 of 40 symbols failed',
  safe: '37 symbols are stored',
  next: 'healing 1/3, next at 14:05Z',
  command: 'candlekeep runs show run_1',
  runId: 'run_1',
  affected: { total: 3, worst: ['BTC/USDT', 'ETH/USDT'] },
  tags: { team: 'data' },
  firedAtMs: Date.UTC(2024, 6, 1),
  atMs: Date.UTC(2024, 6, 1),
  runbook: 'https://example.org/runbook/REQUEST_REJECTED.md',
  lines: [],
};
const dispatch = (notice: Partial<Notification> = {}): Dispatch => ({
  id: 'msg_1',
  dedupKey: 'candlekeep/test/binance/REQUEST_REJECTED/bronze_binance_ohlcv',
  notification: { ...NOTIFICATION, ...notice },
});

/** Waits are a hundred times as short: a channel that hangs is given up after 100 ms of real time. */
const HURRIED_CLOCK: Clock = { ...realClock, sleep: (waitMs, signal) => realClock.sleep(waitMs / 100, signal) };

interface HttpCase {
  readonly kind: 'slack' | 'pagerduty' | 'webhook';
  readonly standIn: () => StandInChannel<unknown>;
  readonly settings: (origin: string) => ChannelSettings;
  /** What it makes of a page of HTML with status 200. */
  readonly takesAnyBody: boolean;
}

const HTTP_CASES: readonly HttpCase[] = [
  {
    kind: 'slack',
    standIn: () => standInSlack(),
    settings: (origin) => ({ name: 'chat', isDefault: true, kind: 'slack', url: `${origin}${SLACK_PATH}` }),
    takesAnyBody: false,
  },
  {
    kind: 'pagerduty',
    standIn: () => standInPagerDuty({ routingKey: ROUTING_KEY }),
    settings: (origin) => ({
      name: 'pager',
      isDefault: true,
      kind: 'pagerduty',
      routingKey: ROUTING_KEY,
      url: `${origin}/v2/enqueue`,
    }),
    takesAnyBody: false,
  },
  {
    kind: 'webhook',
    standIn: () => standInWebhook({ secret: SECRET }),
    settings: (origin) => ({ name: 'hook', isDefault: true, kind: 'webhook', url: `${origin}/in`, secret: SECRET }),
    takesAnyBody: true,
  },
];

async function openHttp(
  { standIn: openStandIn, settings }: HttpCase,
  clock: Clock = realClock,
): Promise<{ channel: Channel; standIn: StandInChannel<unknown> }> {
  const standIn = openStandIn();
  const server = await serveOnLoopback(standIn.handle, { clock: realClock });
  const http = undiciHttp();
  onTestFinished(async () => {
    await http.close();
    await server.close();
  });
  const [channel] = openChannels({ clock, fetch: http.fetch, mailTo: smtpMail }, [settings(server.url)]);
  return { channel: channel as Channel, standIn };
}

const neverAborted = (): AbortSignal => new AbortController().signal;
const failureOf = (channel: Channel, what = dispatch()): Promise<unknown> =>
  channel.send(what, neverAborted()).then(
    () => null,
    (error: unknown) => error,
  );

/** Each way to misbehave, and what the channel is found to be. */
const MISBEHAVIOURS: readonly (readonly [
  FaultSpec,
  { readonly failure: string; readonly status?: number | null; readonly retryAfterMs?: number | null },
])[] = [
  [
    { kind: 'status', status: 429, retryAfter: '7' },
    { failure: 'limited', status: 429, retryAfterMs: 7_000 },
  ],
  [
    { kind: 'status', status: 500 },
    { failure: 'transient', status: 500 },
  ],
  [
    { kind: 'status', status: 503, body: 'html', retryAfter: '3' },
    { failure: 'transient', status: 503, retryAfterMs: 3_000 },
  ],
  [
    { kind: 'status', status: 408 },
    { failure: 'transient', status: 408 },
  ],
  [
    { kind: 'status', status: 302, body: 'empty' },
    { failure: 'permanent', status: 302 },
  ],
  [
    { kind: 'status', status: 401 },
    { failure: 'permanent', status: 401 },
  ],
  [
    { kind: 'status', status: 403 },
    { failure: 'permanent', status: 403 },
  ],
  [
    { kind: 'status', status: 404 },
    { failure: 'permanent', status: 404 },
  ],
  [
    { kind: 'status', status: 410 },
    { failure: 'permanent', status: 410 },
  ],
  [
    { kind: 'status', status: 400 },
    { failure: 'refused', status: 400 },
  ],
  [
    { kind: 'status', status: 413, body: 'html' },
    { failure: 'refused', status: 413 },
  ],
  [{ kind: 'reset' }, { failure: 'transient', status: null }],
  [{ kind: 'answer-lost' }, { failure: 'transient', status: null }],
];

/** What an alert has to show: each with a value that stands nowhere else. */
const FACTS: readonly (readonly [what: string, mark: string, marked: Partial<Notification>])[] = [
  ['its level and title', '[CRITICAL] a title', { title: '[CRITICAL] a title' }],
  ['what happened', 'a sentence about it', { text: 'a sentence about it' }],
  ['the code', 'SYMBOL_INVALID', { code: 'SYMBOL_INVALID' }],
  ['the run id', 'run_marked', { runId: 'run_marked' }],
  ['what is safe', 'all else is stored', { safe: 'all else is stored' }],
  ['the next automatic step', 'asked again at noon', { next: 'asked again at noon' }],
  ['one command', 'candlekeep doctor', { command: 'candlekeep doctor' }],
  ['the link to the runbook', 'https://runbook.test/page', { runbook: 'https://runbook.test/page' }],
  ['the exchange', 'okx', { exchange: 'okx' }],
  ['the asset', 'gold_huggingface_ohlcv', { asset: 'gold_huggingface_ohlcv' }],
  ['the worst symbols', 'DOGE/USDT', { affected: { total: 1, worst: ['DOGE/USDT'] } }],
  ['the tags', 'night-watch', { tags: { team: 'night-watch' } }],
  ['which installation speaks', 'second-site', { instance: 'second-site' }],
];

describe.each(HTTP_CASES)('$kind', (httpCase) => {
  test.each(FACTS)('a message is taken, and the channel shows %s', async (_what, mark, marked) => {
    const { channel, standIn } = await openHttp(httpCase);
    await channel.send(dispatch(), neverAborted());
    await channel.send(dispatch(marked), neverAborted());
    expect(new Set(standIn.statuses)).toEqual(
      new Set([httpCase.kind === 'slack' ? 200 : httpCase.kind === 'pagerduty' ? 202 : 204]),
    );
    expect(standIn.received.map(({ message }) => JSON.stringify(message).includes(mark))).toEqual([false, true]);
  });

  test.each(MISBEHAVIOURS)('%j', async (fault, expected) => {
    const { channel, standIn } = await openHttp(httpCase);
    standIn.plan({ seed: 'one', rules: [{ on: { nth: [1] }, fault }] });
    const error = await failureOf(channel);
    expect(error).toBeInstanceOf(AlertChannelError);
    expect(error).toMatchObject({ code: 'ALERT_CHANNEL_BROKEN', facts: { channel: channel.name, ...expected } });
    for (const secret of SECRETS) expect((error as Error).message).not.toContain(secret);
    expect(standIn.received).toHaveLength(fault.kind === 'answer-lost' ? 1 : 0);
    await channel.send(dispatch(), neverAborted());
    expect(new Set(standIn.received.map(({ message }) => JSON.stringify(message))).size).toBe(1);
  });

  test.each(['silence', 'stall'] as const)('a channel that hangs (%s) is given up after ten seconds', async (kind) => {
    const { channel, standIn } = await openHttp(httpCase, HURRIED_CLOCK);
    standIn.plan({ seed: 'hang', rules: [{ on: { every: 1 }, fault: { kind } }] });
    expect(await failureOf(channel)).toMatchObject({
      facts: { failure: 'transient', status: null },
      message: expect.stringContaining('10 s') as string,
    });
  });

  test('a page of HTML with status 200 is no success where the protocol says what success looks like', async () => {
    const { channel, standIn } = await openHttp(httpCase);
    standIn.plan({ seed: 'html', rules: [{ on: { every: 1 }, fault: { kind: 'html' } }] });
    const error = await failureOf(channel);
    if (httpCase.takesAnyBody) expect(error).toBeNull();
    else expect(error).toMatchObject({ facts: { failure: 'transient', status: 200 } });
  });

  test('who cancels gets the reason back, not a broken channel', async () => {
    const { channel, standIn } = await openHttp(httpCase);
    standIn.plan({ seed: 'hang', rules: [{ on: { every: 1 }, fault: { kind: 'silence' } }] });
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    const sending = channel.send(dispatch(), controller.signal);
    controller.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });

  test('nobody listening, or an address that cannot be, is a channel that cannot be reached', async () => {
    const closed = await serveOnLoopback(() => ({ kind: 'reset' }), { clock: realClock });
    await closed.close();
    for (const origin of [closed.url, 'http://127.0.0.1:1']) {
      const { channel } = await openHttp({ ...httpCase, settings: () => httpCase.settings(origin) });
      expect(await failureOf(channel)).toMatchObject({ facts: { failure: 'transient', status: null } });
    }
  });
});

test('slack: the wait asked for in the body alone is honoured', async () => {
  const { channel } = await openHttp({
    ...HTTP_CASES[0]!,
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

test('slack: each level has its colour, and what is over is green', () => {
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

test("slack: a bar of the level's colour beside the blocks, the title with its level, fields and the time", () => {
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

test('pagerduty: an event says where it comes from, how bad it is, which part it is about, and everything else in its details', () => {
  expect(pagerDutyEvent(dispatch(), ROUTING_KEY)).toEqual({
    routing_key: ROUTING_KEY,
    event_action: 'trigger',
    dedup_key: dispatch().dedupKey,
    client: 'Candlekeep',
    links: [{ href: NOTIFICATION.runbook, text: 'Runbook' }],
    payload: {
      summary: NOTIFICATION.title,
      severity: 'error',
      source: 'binance',
      timestamp: '2024-07-01T00:00:00.000Z',
      component: 'bronze_binance_ohlcv',
      group: 'test',
      class: 'REQUEST_REJECTED',
      custom_details: expect.objectContaining({
        What: NOTIFICATION.text,
        Run: 'run_1',
        Safe: NOTIFICATION.safe,
        Next: NOTIFICATION.next,
        Command: NOTIFICATION.command,
        Runbook: NOTIFICATION.runbook,
      }) as unknown,
    },
  });
  expect(pagerDutyEvent(dispatch({ title: 'x'.repeat(2_000) }), ROUTING_KEY).payload?.summary).toHaveLength(1_024);
});

test('pagerduty: acknowledging and resolving speak of the same key and carry nothing else', () => {
  for (const [kind, action] of [
    ['acknowledge', 'acknowledge'],
    ['resolve', 'resolve'],
    ['healed', 'resolve'],
  ] as const) {
    expect(pagerDutyEvent(dispatch({ kind }), ROUTING_KEY)).toEqual({
      routing_key: ROUTING_KEY,
      event_action: action,
      dedup_key: dispatch().dedupKey,
    });
  }
  expect(pagerDutyEvent(dispatch({ runbook: 'docs/runbook/X.md' }), ROUTING_KEY)).not.toHaveProperty('links');
});

test('webhook: an unsigned or altered request is not taken', async () => {
  const wrong = await openHttp({
    ...HTTP_CASES[2]!,
    settings: (origin) => ({ name: 'hook', isDefault: true, kind: 'webhook', url: `${origin}/in`, secret: 'another' }),
  });
  const unsigned = await openHttp({
    ...HTTP_CASES[2]!,
    settings: (origin) => ({ name: 'hook', isDefault: true, kind: 'webhook', url: `${origin}/in`, secret: null }),
  });
  for (const { channel } of [wrong, unsigned])
    expect(await failureOf(channel)).toMatchObject({ facts: { failure: 'permanent', status: 401 } });
});

const anyText = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', minLength: 1_000, maxLength: 9_000 }),
  fc.constant('<&>'.repeat(5_000)),
);
const anyNotification: fc.Arbitrary<Notification> = fc
  .record({
    kind: fc.constantFrom('trigger', 'digest'),
    title: anyText.map((text) => `[ERROR] ${text}`),
    text: anyText.map((text) => `x${text}`),
    safe: anyText,
    next: anyText,
    command: anyText,
    lines: fc.array(anyText, { maxLength: 60 }),
    affected: fc.record({ total: fc.nat(1_000), worst: fc.array(anyText, { maxLength: 20 }) }),
  })
  .map((parts) => ({ ...NOTIFICATION, ...parts }));

const requestOf = (path: string, body: unknown): StandInRequest => ({
  method: 'POST',
  path,
  query: new URLSearchParams(),
  headers: {},
  body: Buffer.from(JSON.stringify(body)),
});

test('whatever an alert says, Slack and PagerDuty take it: every limit is kept', () => {
  fc.assert(
    fc.property(anyNotification, (notification) => {
      const slack = standInSlack().handle(requestOf(SLACK_PATH, slackMessage(notification)), 0) as StandInReply;
      const pager = standInPagerDuty({ routingKey: ROUTING_KEY }).handle(
        requestOf('/v2/enqueue', pagerDutyEvent({ ...dispatch(), notification }, ROUTING_KEY)),
        0,
      ) as StandInReply;
      expect(
        [slack, pager].map(
          (reply) => reply.kind === 'answer' && `${reply.status} ${Buffer.from(reply.body).toString()}`,
        ),
      ).toEqual(['200 ok', expect.stringMatching(/^202 /)]);
    }),
    { numRuns: 60 },
  );
});

test('pagerduty: an event over 512 kB goes without its details', () => {
  const big = pagerDutyEvent(dispatch({ lines: ['x'.repeat(600_000)] }), ROUTING_KEY);
  expect(big.payload).not.toHaveProperty('custom_details');
  expect(big.payload?.summary).toBe(NOTIFICATION.title);
});

const LOGIN = { user: 'alerts@example.org', password: 'smtp-password' };

async function openMail(
  clock: Clock = realClock,
  login?: { user: string; password: string },
): Promise<{ channel: Channel; server: StandInSmtp }> {
  const server = await standInSmtp(login === undefined ? {} : { login });
  onTestFinished(() => server.close());
  const settings: ChannelSettings = {
    name: 'email',
    isDefault: true,
    kind: 'email',
    smtpUrl: server.url,
    from: 'candlekeep@example.org',
    to: ['ops@example.org', 'data@example.org'],
  };
  const [channel] = openChannels({ clock, fetch: () => Promise.reject(new Error('no fetch')), mailTo: smtpMail }, [
    settings,
  ]);
  return { channel: channel as Channel, server };
}

describe('e-mail', () => {
  test.each(FACTS.filter(([what]) => what !== 'its level and title'))('a mail shows %s', (_what, mark, marked) => {
    const target = { from: 'a@example.org', to: ['b@example.org'] };
    expect([dispatch(), dispatch(marked)].map((what) => emailOf(what, target).text.includes(mark))).toEqual([
      false,
      true,
    ]);
  });

  test('a mail arrives with subject, every fact, and headers that make one thread of one cause', async () => {
    const { channel, server } = await openMail(realClock, LOGIN);
    await channel.send(dispatch(), neverAborted());
    await channel.send(
      { ...dispatch({ kind: 'resolve', title: '[RESOLVED] REQUEST_REJECTED at binance: over' }), id: 'msg_2' },
      neverAborted(),
    );
    const [first, second] = server.received;
    expect(first).toMatchObject({
      from: 'candlekeep@example.org',
      to: ['ops@example.org', 'data@example.org'],
      headers: { subject: NOTIFICATION.title, 'auto-submitted': 'auto-generated' },
    });
    for (const fact of [
      NOTIFICATION.text,
      NOTIFICATION.safe,
      NOTIFICATION.next,
      NOTIFICATION.command,
      'run_1',
      NOTIFICATION.runbook,
      'team=data',
    ])
      expect(first?.body, fact).toContain(fact);
    expect(first?.headers['references']).toMatch(/^<[0-9a-f]+@[0-9a-f]+\.candlekeep\.invalid>$/);
    expect(second?.headers['references']).toBe(first?.headers['references']);
    expect(second?.headers['message-id']).not.toBe(first?.headers['message-id']);
    expect(emailOf(dispatch(), { from: 'a', to: ['b'] }).messageId).toBe(
      emailOf(dispatch(), { from: 'a', to: ['b'] }).messageId,
    );
  });

  test.each<[MailFault, { readonly failure: string; readonly status: number | null }]>([
    [
      { kind: 'reply', at: 'data', line: '451 4.7.1 greylisted, try again later' },
      { failure: 'transient', status: 451 },
    ],
    [
      { kind: 'reply', at: 'greeting', line: '421 4.3.2 too busy' },
      { failure: 'transient', status: 421 },
    ],
    [
      { kind: 'reply', at: 'rcpt', line: '550 5.1.1 no such user' },
      { failure: 'permanent', status: 550 },
    ],
    [
      { kind: 'reply', at: 'mail', line: '553 5.1.8 sender refused' },
      { failure: 'permanent', status: 553 },
    ],
    [
      { kind: 'reply', at: 'data', line: '552 5.3.4 message too big' },
      { failure: 'refused', status: 552 },
    ],
    [{ kind: 'reset' }, { failure: 'transient', status: null }],
    [{ kind: 'wrong-protocol' }, { failure: 'transient', status: null }],
    [{ kind: 'answer-lost' }, { failure: 'transient', status: null }],
  ])('%j', async (fault, expected) => {
    const { channel, server } = await openMail();
    server.faults([fault]);
    expect(await failureOf(channel)).toMatchObject({
      code: 'ALERT_CHANNEL_BROKEN',
      facts: { channel: 'email', ...expected },
    });
    await channel.send(dispatch(), neverAborted());
    expect(server.received).toHaveLength(fault.kind === 'answer-lost' ? 2 : 1);
    expect(new Set(server.received.map(({ headers }) => headers['message-id'])).size).toBe(1);
  });

  test('wrong credentials are permanent, and the password stands in no message', async () => {
    const { channel, server } = await openMail(realClock, LOGIN);
    server.faults([{ kind: 'reply', at: 'auth', line: '535 5.7.8 bad credentials' }]);
    const error = await failureOf(channel);
    expect(error).toMatchObject({ facts: { failure: 'permanent', status: 535 } });
    expect((error as Error).message).not.toContain(LOGIN.password);
  });

  test('a server that hangs is given up after ten seconds, and who cancels gets the reason back', async () => {
    const { channel, server } = await openMail(HURRIED_CLOCK);
    server.faults([{ kind: 'silence' }]);
    expect(await failureOf(channel)).toMatchObject({
      facts: { failure: 'transient' },
      message: expect.stringContaining('10 s') as string,
    });
    const patient = await openMail();
    patient.server.faults([{ kind: 'silence' }]);
    const controller = new AbortController();
    const reason = new Error('Ctrl-C');
    const sending = patient.channel.send(dispatch(), controller.signal);
    controller.abort(reason);
    await expect(sending).rejects.toBe(reason);
  });

  test('nobody listening is a channel that cannot be reached', async () => {
    const [channel] = openChannels(
      { clock: realClock, fetch: () => Promise.reject(new Error('no fetch')), mailTo: smtpMail },
      [
        {
          name: 'email',
          isDefault: true,
          kind: 'email',
          smtpUrl: 'smtp://127.0.0.1:1',
          from: 'a@example.org',
          to: ['b@example.org'],
        },
      ],
    );
    expect(await failureOf(channel as Channel)).toMatchObject({ facts: { failure: 'transient', status: null } });
  });
});
