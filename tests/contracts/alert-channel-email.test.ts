import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../src/platform/ports/clock.ts';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { smtpMail } from '../../src/platform/node/smtp-mail.ts';
import type { Channel } from '../../src/alerting/channels/channel.ts';
import { emailOf } from '../../src/alerting/channels/email.ts';
import type { ChannelSettings } from '../../src/alerting/model/settings.ts';
import { openChannels } from '../../src/alerting/outbox/open-channels.ts';
import { standInSmtp, type MailFault, type StandInSmtp } from '../support/stand-ins/stand-in-smtp.ts';
import {
  dispatch,
  FACTS,
  failureOf,
  HURRIED_CLOCK,
  neverAborted,
  NOTIFICATION,
  PASSWORD,
} from './alert-channel-contract.ts';

const LOGIN = { user: 'alerts@example.org', password: PASSWORD };

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

  test('a mail has its subject, every fact, and headers that make one thread per cause', async () => {
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

  test('wrong credentials are permanent, and no message contains the password', async () => {
    const { channel, server } = await openMail(realClock, LOGIN);
    server.faults([{ kind: 'reply', at: 'auth', line: '535 5.7.8 bad credentials' }]);
    const error = await failureOf(channel);
    expect(error).toMatchObject({ facts: { failure: 'permanent', status: 535 } });
    expect((error as Error).message).not.toContain(LOGIN.password);
  });

  test('a server that hangs times out after ten seconds, and a cancellation rejects with its reason', async () => {
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

  test('a closed port is a transient failure', async () => {
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
