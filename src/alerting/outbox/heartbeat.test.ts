import { expect, test } from 'vitest';
import { memoryLog } from '../../../tests/support/memory-log.ts';
import { seededRandom } from '../../platform/seeded-random.ts';
import { VirtualClock } from '../../../tests/support/virtual-clock.ts';
import { healthProblems, sendHeartbeat, type HealthState } from './heartbeat.ts';

const WELL: HealthState = {
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
  expect(healthProblems({ ...WELL, ...part })).toEqual(expected);
});

async function beat(
  response: typeof globalThis.fetch,
  complaints: readonly string[],
  url = 'https://ping.test/uuid?a=1',
): Promise<{ metadata: boolean; lines: readonly unknown[] }> {
  const log = memoryLog();
  const clock = new VirtualClock({ random: seededRandom('heartbeat') });
  const metadata = await clock.runUntil(
    sendHeartbeat({ clock, fetch: response, log }, url, complaints, new AbortController().signal),
  );
  return { metadata, lines: log.lines };
}

test('a turn that is well gets its address, one that is not the same with /fail below it', async () => {
  const asked: unknown[] = [];
  const ok: typeof globalThis.fetch = (input, init) => {
    asked.push([init?.method ?? 'GET', input]);
    return Promise.resolve(new Response('OK'));
  };
  expect(await beat(ok, [])).toEqual({ heard: true, lines: [] });
  expect(await beat(ok, ['disk full'])).toEqual({ heard: true, lines: [] });
  await beat(ok, ['disk full'], 'https://ping.test/uuid/');
  expect(asked).toEqual([
    ['GET', 'https://ping.test/uuid?a=1'],
    ['GET', 'https://ping.test/uuid/fail?a=1'],
    ['GET', 'https://ping.test/uuid/fail'],
  ]);
});

test('a heartbeat that is refused, lost or left hanging fails no turn and is logged without its address', async () => {
  const refused: typeof globalThis.fetch = () => Promise.resolve(new Response('no', { status: 404 }));
  const lost: typeof globalThis.fetch = () =>
    Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNRESET' }) }));
  const hanging: typeof globalThis.fetch = (_, init) =>
    new Promise((_resolve, reject) =>
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
    );
  for (const [response, word] of [
    [refused, '404'],
    [lost, 'ECONNRESET'],
    [hanging, 'ETIMEDOUT'],
  ] as const) {
    const { metadata: heard, lines } = await beat(response, []);
    expect(heard).toBe(false);
    expect(lines).toMatchObject([{ level: 'warn', message: expect.stringContaining(word) as string }]);
    expect(JSON.stringify(lines)).not.toContain('uuid');
  }
});
