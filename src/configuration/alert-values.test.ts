import { expect, test } from 'vitest';
import {
  SECRET,
  JSON_FILE,
  directoryWith,
  load,
  refusal,
} from '../../tests/support/command-line/configuration-harness.ts';

test('variables make the default channels, and entries of alerts.channels may refer to variables', async () => {
  const cwd = directoryWith({
    [JSON_FILE]: JSON.stringify({
      tags: { team: 'data', alert_channel: 'data-slack' },
      alerts: {
        channels: {
          'data-slack': { kind: 'slack', url: '$TEAM_SLACK' },
          night: { kind: 'email', smtpUrl: '$MAIL', to: 'a@b.test', default: true },
        },
      },
    }),
  });
  const env = {
    SLACK_WEBHOOK_URL: `https://slack.test/${SECRET}`,
    PAGERDUTY_ROUTING_KEY: SECRET,
    ALERT_WEBHOOK_URL: 'https://hook.test/in',
    ALERT_WEBHOOK_SECRET: SECRET,
    HEARTBEAT_URL: 'https://hc.test/x',
    TEAM_SLACK: 'https://slack.test/team',
    MAIL: 'smtp://mail.test',
  };
  const { settings, inForce: options } = await load({ cwd, env });
  expect(settings.alerts.channels.map(({ name, kind, isDefault }) => [name, kind, isDefault])).toEqual([
    ['pagerduty', 'pagerduty', true],
    ['slack', 'slack', true],
    ['webhook', 'webhook', true],
    ['data-slack', 'slack', false],
    ['night', 'email', true],
  ]);
  expect(settings.alerts.channels.at(-1)).toMatchObject({
    to: ['a@b.test'],
    from: 'a@b.test',
    smtpUrl: 'smtp://mail.test',
  });
  expect(settings.alerts.heartbeatUrl).toBe('https://hc.test/x');
  expect(JSON.stringify(options)).not.toMatch(new RegExp(`${SECRET}|TEAM_SLACK|slack\\.test`));
  expect((await refusal({ cwd, env: { ...env, MAIL: '' } })).message).toContain(
    'alerts.channels.night.smtpUrl: expected the variable MAIL to be set, got nothing',
  );
  expect(
    (
      await refusal({
        env: { ...env, CANDLEKEEP_ALERT_CHANNELS: '{"slack": {"kind": "slack", "url": "https://x.test"}}' },
      })
    ).message,
  ).toContain('got slack');
});

test.each([
  [
    '{"a": {"kind": "pager"}}',
    'CANDLEKEEP_ALERT_CHANNELS.a.kind: expected slack, pagerduty, email, webhook, got "pager"',
  ],
  ['{"a": {"kind": "slack"}}', 'CANDLEKEEP_ALERT_CHANNELS.a.url: expected an http(s) URL, got "something else"'],
  ['{"a": {"kind": "slack", "url": "https://x.test", "routing": "x"}}', 'only kind, default, url, got "routing"'],
  ['{"a b": {"kind": "slack"}}', 'names of letters'],
  [
    '{"a": {"kind": "email", "smtpUrl": "smtp://x.test", "to": "nobody"}}',
    'CANDLEKEEP_ALERT_CHANNELS.a.to: expected an e-mail address, got "nobody"',
  ],
])('channels %s are refused with their path', async (text, names) => {
  expect((await refusal({ env: { CANDLEKEEP_ALERT_CHANNELS: text } })).message).toContain(names);
});

test('an SMTP address without recipients is warned about', async () => {
  expect((await load({ env: { SMTP_URL: 'smtp://mail.test' } })).warnings).toEqual([
    'SMTP_URL is set but ALERT_EMAIL_TO is not: no e-mail is sent',
  ]);
});
