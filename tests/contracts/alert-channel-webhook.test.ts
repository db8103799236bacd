import { expect, test } from 'vitest';
import { standInWebhook } from '../support/stand-ins/stand-in-webhook.ts';
import { describeHttpChannel, failureOf, openHttp, SECRET, type HttpCase } from './alert-channel-contract.ts';

const WEBHOOK: HttpCase = {
  kind: 'webhook',
  standIn: () => standInWebhook({ secret: SECRET }),
  settings: (origin) => ({ name: 'hook', isDefault: true, kind: 'webhook', url: `${origin}/in`, secret: SECRET }),
  acceptsAnyBody: true,
  acceptedStatus: 204,
};

describeHttpChannel(WEBHOOK);

test('a request that is unsigned or signed with another secret is rejected', async () => {
  const wrong = await openHttp({
    ...WEBHOOK,
    settings: (origin) => ({ name: 'hook', isDefault: true, kind: 'webhook', url: `${origin}/in`, secret: 'another' }),
  });
  const unsigned = await openHttp({
    ...WEBHOOK,
    settings: (origin) => ({ name: 'hook', isDefault: true, kind: 'webhook', url: `${origin}/in`, secret: null }),
  });
  for (const { channel } of [wrong, unsigned])
    expect(await failureOf(channel)).toMatchObject({ facts: { failure: 'permanent', status: 401 } });
});
