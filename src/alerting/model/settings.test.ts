import { expect, test } from 'vitest';
import { redactorOf } from '../../platform/redaction.ts';
import { alertSecrets, defaultChannels, type ChannelVariables } from './settings.ts';

const NONE: ChannelVariables = {
  slackWebhookUrl: null,
  pagerdutyRoutingKey: null,
  pagerdutyEventsUrl: null,
  smtpUrl: null,
  emailTo: [],
  emailFrom: null,
  webhookUrl: null,
  webhookSecret: null,
};
const ALL: ChannelVariables = {
  slackWebhookUrl: 'https://hooks.slack.test/services/T0/B0/abcdef',
  pagerdutyRoutingKey: 'R'.repeat(32),
  pagerdutyEventsUrl: 'https://events.eu.pagerduty.com/v2/enqueue',
  smtpUrl: 'smtp://me:smtp-password@mail.test:587',
  emailTo: ['a@example.org', 'b@example.org'],
  emailFrom: null,
  webhookUrl: 'https://own.test/hooks/secret-part',
  webhookSecret: 'hmac-secret',
};

test('a channel exists when its variables are set, and e-mail needs a recipient', () => {
  expect(defaultChannels(NONE)).toEqual([]);
  expect(defaultChannels(ALL).map(({ name, isDefault }) => [name, isDefault])).toEqual([
    ['pagerduty', true],
    ['slack', true],
    ['email', true],
    ['webhook', true],
  ]);
  expect(defaultChannels({ ...ALL, emailTo: [] }).map(({ name }) => name)).not.toContain('email');
});

test('events go to the configured region; the first recipient is the sender unless one is configured', () => {
  expect(defaultChannels(ALL)).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ url: 'https://events.eu.pagerduty.com/v2/enqueue' }),
      expect.objectContaining({ from: 'a@example.org' }),
    ]),
  );
  expect(defaultChannels({ ...ALL, pagerdutyEventsUrl: null, emailFrom: 'ck@example.org' })).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ url: 'https://events.pagerduty.com/v2/enqueue' }),
      expect.objectContaining({ from: 'ck@example.org' }),
    ]),
  );
});

test('every value that gives access to a channel is a secret', () => {
  const redact = redactorOf(
    alertSecrets({ channels: defaultChannels(ALL), heartbeatUrl: 'https://hc.test/ping/0123-4567' }),
  );
  for (const secret of [
    '/services/T0/B0/abcdef',
    'R'.repeat(32),
    'smtp-password',
    '/hooks/secret-part',
    'hmac-secret',
    '/ping/0123-4567',
  ])
    expect(redact(`x ${secret} y`)).toBe('x ******** y');
});
