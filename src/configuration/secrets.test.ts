import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  SECRET,
  JSON_FILE,
  directoryWith,
  load,
  refusal,
  inForce,
  SECRETS,
} from '../../tests/support/command-line/configuration-harness.ts';

test('a token comes from its variable, a file named by a variable, or a flag, and is always masked', async () => {
  const cwd = directoryWith({ 'secrets/token': `${SECRET}\n` });
  const hub = { CANDLEKEEP_HF_REPO: 'own/candles' };
  const ways = [
    await load({ cwd, env: { ...hub, HF_TOKEN: SECRET } }),
    await load({ cwd, env: { ...hub, HF_TOKEN: 'other', HF_TOKEN_FILE: join(cwd, 'secrets/token') } }),
    await load({ cwd, env: { ...hub, HF_TOKEN_FILE: 'secrets/token' } }),
    await load({ cwd, env: { ...hub, HF_TOKEN: 'other' }, flags: { hfToken: SECRET } }),
  ];
  expect(ways.map(({ settings }) => settings.hub?.token)).toEqual(ways.map(() => SECRET));
  expect(ways.map((way) => inForce(way, 'hfToken')?.source)).toEqual([
    'environment',
    'environment',
    'environment',
    'flag',
  ]);
  expect(JSON.stringify(ways.map(({ inForce: options }) => options))).not.toContain(SECRET);
  expect(ways.map((way) => inForce(way, 'hfToken')?.value)).toEqual(ways.map(() => '********'));
});

test.each([
  ['missing', 'nowhere/token'],
  ['a directory', 'secrets'],
  ['empty', 'secrets/empty'],
])('a token file that is %s is refused by name', async (_, path) => {
  const { message } = await refusal({ cwd: directoryWith({ 'secrets/empty': ' \n' }), env: { HF_TOKEN_FILE: path } });
  expect(message).toMatch(/^HF_TOKEN_FILE: expected /);
  if (path !== 'secrets/empty') expect(message).toContain(path);
});

test.each([
  ['beside a bad value', { env: { HF_TOKEN: SECRET, CANDLEKEEP_INTERVAL: '7h' } }, {}],
  ['as an option of the file', {}, { [JSON_FILE]: JSON.stringify({ hfToken: SECRET }) }],
  ['without quotes in broken JSON', {}, { [JSON_FILE]: `{"hfToken": ${SECRET}}` }],
  ['as all there is in a file', {}, { [JSON_FILE]: SECRET }],
  ['as the password of an origin', { env: { CANDLEKEEP_BINANCE_URL: `https://me:${SECRET}@mirror.test` } }, {}],
  ['as the password of an origin without user', { env: { HF_ENDPOINT: `https://:${SECRET}@mirror.test` } }, {}],
  ['as the password of an origin that is none', { env: { HF_ENDPOINT: `https://me:${SECRET}/x@mirror.test` } }, {}],
])('a secret %s is not in the message', async (_, over, files) => {
  const { message } = await refusal({ cwd: directoryWith(files), ...over });
  for (let at = 0; at + 6 <= SECRET.length; at++) expect(message).not.toContain(SECRET.slice(at, at + 6));
});

test('a repository without a token is refused, a token without a repository is not', async () => {
  expect((await refusal({ env: { CANDLEKEEP_HF_REPO: 'own/candles' } })).message).toBe(
    'HF_TOKEN: expected a token that may write to own/candles, got nothing',
  );
  expect((await load({ env: { HF_TOKEN: SECRET } })).settings.hub).toBeNull();
});

test.each(SECRETS)(
  '%s belongs in the environment: a file that holds it is refused without being quoted',
  async (key, env, value) => {
    const { message } = await refusal({
      cwd: directoryWith({ [JSON_FILE]: JSON.stringify({ [key]: `${value}${SECRET}` }) }),
    });
    expect(message).toContain(`expected secrets in the environment (${env} or ${env}_FILE), got one in the file`);
    expect(message).not.toContain(SECRET);
  },
);

test.each([
  ['SLACK_WEBHOOK_URL'],
  ['SMTP_URL'],
  ['ALERT_WEBHOOK_URL'],
  ['HEARTBEAT_URL'],
  ['CANDLEKEEP_ALERT_CHANNELS'],
])('an unusable %s is refused without being quoted', async (env) => {
  expect((await refusal({ env: { [env]: SECRET } })).message).toMatch(
    new RegExp(`^${env}: expected .*got "something else"$`),
  );
});
