import { expect, test } from 'vitest';
import { memoryLog } from '../../../tests/support/virtual/memory-log.ts';
import { seededRandom } from '../../platform/seeded-random.ts';
import { VirtualClock } from '../../../tests/support/virtual/virtual-clock.ts';
import { healthProblems, sendHeartbeat, type HealthState } from './heartbeat.ts';

const HEALTHY: HealthState = {
  nowMs: 1_000_000,
  outboxOldestAtMs: null,
  channelsDown: 0,
  channelsTotal: 2,
  storeError: null,
};

test.each<[string, Partial<HealthState>, readonly string[]]>([
  ['nothing is wrong', {}, []],
  ['an alert has waited for five minutes', { outboxOldestAtMs: 700_000 }, []],
  ['and a little longer', { outboxOldestAtMs: 699_999 }, ['an alert has waited for 5 min']],
  ['one channel of two is down', { channelsDown: 1 }, []],
  ['both are', { channelsDown: 2 }, ['every alert channel is down']],
  ['there is no channel', { channelsTotal: 0 }, []],
  ['the store cannot be written', { storeError: 'ENOSPC' }, ['the state cannot be written: ENOSPC']],
])('%s', (_, part, expected) => {
  expect(healthProblems({ ...HEALTHY, ...part })).toEqual(expected);
});

async function beat(
  response: typeof globalThis.fetch,
  problems: readonly string[],
  url = 'https://ping.test/uuid?a=1',
): Promise<{ accepted: boolean; lines: readonly unknown[] }> {
  const log = memoryLog();
  const clock = new VirtualClock({ random: seededRandom('heartbeat') });
  const accepted = await clock.runUntil(
    sendHeartbeat({ clock, fetch: response, log }, url, problems, new AbortController().signal),
  );
  return { accepted, lines: log.lines };
}

test('a healthy tick pings the address, an unhealthy one the address with /fail', async () => {
  const requests: unknown[] = [];
  const ok: typeof globalThis.fetch = (input, init) => {
    requests.push([init?.method ?? 'GET', input]);
    return Promise.resolve(new Response('OK'));
  };
  expect(await beat(ok, [])).toEqual({ accepted: true, lines: [] });
  expect(await beat(ok, ['disk full'])).toEqual({ accepted: true, lines: [] });
  await beat(ok, ['disk full'], 'https://ping.test/uuid/');
  expect(requests).toEqual([
    ['GET', 'https://ping.test/uuid?a=1'],
    ['GET', 'https://ping.test/uuid/fail?a=1'],
    ['GET', 'https://ping.test/uuid/fail'],
  ]);
});

test('a ping that is rejected, lost or hangs throws nothing and is logged without its address', async () => {
  const refused: typeof globalThis.fetch = () => Promise.resolve(new Response('no', { status: 404 }));
  const lost: typeof globalThis.fetch = () =>
    Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }));
  const hanging: typeof globalThis.fetch = (_, init) =>
    new Promise((_resolve, reject) =>
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
    );
  for (const [response, reason] of [
    [refused, '404'],
    [lost, 'ECONNRESET'],
    [hanging, 'ETIMEDOUT'],
  ] as const) {
    const { accepted, lines } = await beat(response, []);
    expect(accepted).toBe(false);
    expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining(reason) as string }]);
    expect(JSON.stringify(lines)).not.toContain('uuid');
  }
});
