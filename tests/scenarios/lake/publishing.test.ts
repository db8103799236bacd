import { expect, test } from 'vitest';
import { createHash } from 'node:crypto';
import { memoryLog } from '../../support/virtual/memory-log.ts';
import { seededRandom } from '../../../src/platform/seeded-random.ts';
import { VirtualClock } from '../../support/virtual/virtual-clock.ts';
import type { GoldFile } from '../../../src/lake/gold/dataset.ts';
import { publishDataset, type PublishFailure } from '../../../src/lake/gold/hub-publisher.ts';
import { PublishError } from '../../../src/errors/errors.ts';
import type { FaultPlan, FaultSpec } from '../../../src/simulation/fault-plan.ts';
import { socketlessFetch } from '../../support/stand-ins/socketless.ts';
import { standInHub, type HubOptions } from '../../../src/simulation/stand-ins/stand-in-hub.ts';

const HUB = 'http://hub.test';
const TARGET = { repo: 'you/candles', token: 'hf_token', endpoint: HUB };

const file = (path: string, content: string | Uint8Array): GoldFile => {
  const bytes = Buffer.from(content);
  return { path, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
};
const DATASET = [
  file('README.md', '# candles\n'),
  file('data/interval=1h/exchange=binance/2024-06.parquet', Buffer.alloc(20_000, 7)),
  file('data/interval=1h/exchange=binance/2024-07.parquet', 'small'),
];

const failing = (path: string, nth: readonly number[], fault: FaultSpec): FaultPlan => ({
  seed: 'hub',
  rules: [{ match: { path }, on: { nth }, fault }],
});

/** Lets virtual time pass during `work`: the clock does not notice when the Hub's client hashes and reads. */
async function whileTimePasses<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const passing = async (): Promise<void> => {
    while (!done.signal.aborted) await clock.sleep(1, done.signal).catch(() => undefined);
  };
  void passing();
  return work.finally(() => done.abort());
}

function harness(options: Partial<HubOptions> = {}) {
  const clock = new VirtualClock({ random: seededRandom('hub clock'), startMs: Date.UTC(2024, 6, 1) });
  const hub = standInHub({ repo: TARGET.repo, token: TARGET.token, ...options });
  const failures: PublishFailure[] = [];
  const ports = {
    clock,
    random: seededRandom('hub'),
    fetch: socketlessFetch(clock, { [HUB]: hub.handle }),
    log: memoryLog(),
    onFailure: (failure: PublishFailure) => {
      failures.push(failure);
      return Promise.resolve();
    },
  };
  const publish = (files: readonly GoldFile[] = DATASET) =>
    clock.runUntil(whileTimePasses(clock, publishDataset(ports, TARGET, files, new AbortController().signal)));
  const published = () =>
    Object.fromEntries(
      [...(hub.commits.at(-1)?.files ?? [])].map(([path, bytes]) => [path, Buffer.from(bytes).toString('base64')]),
    );
  return { hub, failures, publish, published };
}

const contents = (files: readonly GoldFile[]) =>
  Object.fromEntries(files.map(({ path, bytes }) => [path, Buffer.from(bytes).toString('base64')]));

test('a missing repository is created; the dataset is one commit, and unchanged it is none', async () => {
  const { hub, publish, published } = harness({ exists: false });
  expect(await publish()).toMatchObject({ result: 'committed', filesChanged: 3 });
  expect(published()).toEqual(contents(DATASET));
  expect(hub.commits).toHaveLength(2);
  expect(await publish()).toMatchObject({ result: 'unchanged', filesChanged: 0 });
  expect(hub.commits).toHaveLength(2);
});

test('files no longer in the dataset are removed with the same commit; files of others stay', async () => {
  const { hub, publish, published } = harness();
  await publish();
  const next = [DATASET[0]!, DATASET[1]!, file('data/interval=1h/exchange=binance/2024-08.parquet', 'new')];
  await publish(next);
  expect(published()).toEqual(contents(next));
  expect(hub.commits).toHaveLength(3);
});

test('a commit whose response was lost is recognised and not repeated', async () => {
  const { hub, publish, published, failures } = harness({ commitsLost: 1 });
  expect(await publish()).toMatchObject({ result: 'committed' });
  expect(published()).toEqual(contents(DATASET));
  expect(hub.commits).toHaveLength(2);
  expect(failures).toMatchObject([{ decision: 'retry', tries: 1, fault: { code: 'PUBLISH_FAILED' } }]);
});

test.each([
  ['/api/datasets', 503],
  ['/lfs/', 500],
  ['/api/datasets/you/candles/commit', 504],
  ['/api/datasets/you/candles/commit', 412],
] as const)('a %s with status %i is retried, and the dataset arrives once', async (path, status) => {
  const { hub, publish, published, failures } = harness({ plan: failing(path, [1], { kind: 'status', status }) });
  await publish();
  expect(published()).toEqual(contents(DATASET));
  expect(hub.commits).toHaveLength(2);
  expect(failures).toMatchObject([{ decision: 'retry', fault: { facts: { status } } }]);
});

test('a permanent refusal is not retried', async () => {
  const { hub, publish, failures } = harness({
    plan: failing('/api/datasets', [1, 2, 3, 4, 5], { kind: 'status', status: 403 }),
  });
  await expect(publish()).rejects.toThrow(PublishError);
  expect(failures).toMatchObject([{ decision: 'permanent', waitMs: null }]);
  expect(hub.log).toHaveLength(1);
});

test('after five attempts publishing gives up, and no part of the dataset is visible', async () => {
  const { hub, publish, failures } = harness({
    plan: {
      seed: 'down',
      rules: [
        {
          match: { path: '/api/datasets/you/candles/commit' },
          on: { every: 1 },
          fault: { kind: 'status', status: 503 },
        },
      ],
    },
  });
  await expect(publish()).rejects.toThrow(PublishError);
  expect(failures.map(({ decision }) => decision)).toEqual(['retry', 'retry', 'retry', 'retry', 'tries']);
  expect(hub.commits).toHaveLength(1);
});

test('a wait of two minutes that the Hub requires is stored, not slept', async () => {
  const { publish, failures } = harness({
    plan: failing('/api/datasets', [1], { kind: 'status', status: 429, retryAfter: '120' }),
  });
  await expect(publish()).rejects.toThrow(PublishError);
  expect(failures).toMatchObject([{ decision: 'parked', waitMs: 120_000 }]);
});
