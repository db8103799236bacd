import { expect, onTestFinished, test } from 'vitest';
import { memoryLog } from '../../tests/support/virtual/memory-log.ts';
import { seededRandom } from '../platform/seeded-random.ts';
import { openSqliteStore } from '../platform/node/sqlite-store.ts';
import { VirtualClock } from '../../tests/support/virtual/virtual-clock.ts';
import { CancelledError } from '../errors/classify.ts';
import { exchangeError, type ExchangeFaultCode, type UnauthorizedError } from '../errors/errors.ts';
import { createExecutor } from './retry/executor.ts';
import type { PageResult } from './retry/page-call.ts';
import type { HaltSwitch } from './policies.ts';
import { permissivePolicies } from '../../tests/support/permissive-policies.ts';
import { BUDGET_TOKENS_MAX, tokensOf } from './retry/retry-budget.ts';
import { POLICY_MIGRATIONS } from './schema.ts';
import { exchangePolicies } from './exchange-policies.ts';

type Outcome = { readonly code: ExchangeFaultCode; readonly retryAfterMs?: number } | 'answered';

const VENUE = { exchange: 'binance', egress: 'direct' };
const DEADLINE_MS = 300_000;
const response = { status: 200, headers: {}, body: new Uint8Array() };

interface World {
  readonly clock: VirtualClock;
  readonly sentAtMs: number[];
  /** Another process on the same store. */
  process(options?: { readonly halts?: HaltSwitch; readonly exchange?: string }): Process;
  tokens(): Promise<number>;
}

interface Process {
  fetch(symbol: string, signal?: AbortSignal): Promise<PageResult<string>>;
}

/** Processes of one address that send requests to a venue. It responds as `outcomeOf` says, after 40 ms. */
function world(
  outcomeOf: (request: number, nowMs: number) => Outcome,
  { responseMs = 40 }: { readonly responseMs?: number } = {},
): World {
  const random = seededRandom('exchange policies');
  const clock = new VirtualClock({ random });
  const store = openSqliteStore({ path: ':memory:', migrations: POLICY_MIGRATIONS });
  onTestFinished(() => store.close());
  const sentAtMs: number[] = [];
  let processes = 0;
  return {
    clock,
    sentAtMs,
    tokens: () => store.read(tokensOf, VENUE, clock.nowMs()),
    process: ({ halts = permissivePolicies.halts, exchange = VENUE.exchange } = {}) => {
      const log = memoryLog();
      const times = { attemptTimeoutMs: 10_000, deadlineMs: DEADLINE_MS };
      const prior = [{ name: 'W', limit: 6_000, windowMs: 60_000, shape: 'aligned', counts: 'weight' }] as const;
      const policies = exchangePolicies({
        ...times,
        clock,
        log,
        store,
        venue: { ...VENUE, exchange },
        halts,
        prior,
        share: 1,
      });
      const executor = createExecutor({
        ...times,
        clock,
        http: {
          get: async () => {
            sentAtMs.push(clock.monotonicMs());
            const outcome = outcomeOf(sentAtMs.length, clock.monotonicMs());
            await clock.sleep(responseMs);
            if (outcome === 'answered') return response;
            throw exchangeError(outcome.code, outcome.code, {
              exchange,
              status: null,
              venueCode: null,
              retryAfterMs: outcome.retryAfterMs ?? null,
            });
          },
        },
        log,
        policies,
        random: random.fork(`process ${++processes}`),
      });
      return {
        fetch: (symbol, signal = new AbortController().signal) =>
          executor.execute(
            {
              exchange,
              symbol,
              runId: 'run_1',
              label: {},
              request: (origin) => ({ url: origin, weight: 2 }),
              requestsMax: 10,
              origins: ['https://one'],
              unrestrictedOrigin: null,
              translate: () => null,
              usedWeight: () => [],
              onFailure: () => Promise.resolve(),
              read: () => 'rows',
            },
            signal,
          ),
      };
    },
  };
}

const warmUp = async ({ clock, process }: World): Promise<void> =>
  void (await clock.runUntil(process().fetch('WARM/USDT')));
const many = (process: Process, pages: number): Promise<PageResult<string>[]> =>
  Promise.all(Array.from({ length: pages }, (_, at) => process.fetch(`S${at}/USDT`)));

/** As an asset fetches: eight workers, each one page after another. */
async function byWorkers(process: Process, pages: number): Promise<PageResult<string>[]> {
  const symbols = Array.from({ length: pages }, (_, at) => `S${at}/USDT`);
  const results: PageResult<string>[] = [];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let symbol = symbols.shift(); symbol !== undefined; symbol = symbols.shift())
        results.push(await process.fetch(symbol));
    }),
  );
  return results;
}

test('one 429 holds every worker of every process until Retry-After; only requests in flight arrive', async () => {
  const here = world((request) =>
    request === 2 ? { code: 'EXCHANGE_RATE_LIMITED', retryAfterMs: 30_000 } : 'answered',
  );
  await warmUp(here);
  const beganMs = here.clock.monotonicMs();
  const pages = Promise.all([many(here.process(), 40), many(here.process(), 40)]);
  const results = await here.clock.runUntil(pages);
  expect(results.flat().every((result) => result.ok)).toBe(true);
  const closedAtMs = beganMs + 40;
  const afterMs = here.sentAtMs.filter((atMs) => atMs > closedAtMs);
  expect(Math.min(...afterMs)).toBeGreaterThanOrEqual(closedAtMs + 30_000);
  expect(here.sentAtMs.length).toBe(1 + 80 + 1);
});

test.each([
  ['EXCHANGE_IP_BANNED', 120_000],
  ['EXCHANGE_MAINTENANCE', 300_000],
] as const)(
  '%s that does not say when it ends closes the venue for %i ms: other pages park at once without a request',
  async (code, closedMs) => {
    const here = world(() => ({ code }));
    const untilMs = here.clock.nowMs() + 40 + closedMs;
    expect(await here.clock.runUntil(here.process().fetch('BTC/USDT'))).toMatchObject({
      ok: false,
      why: 'parked',
      requests: 1,
    });
    const beganMs = here.clock.monotonicMs();
    expect(await here.clock.runUntil(here.process().fetch('ETH/USDT'))).toMatchObject({
      ok: false,
      why: 'parked',
      requests: 0,
      fault: { code },
      notBeforeMs: untilMs,
    });
    expect(here.clock.monotonicMs()).toBe(beganMs);
    expect(here.sentAtMs).toHaveLength(1);
  },
);

test('a gate that closes while a page waits for a slot or for weight also holds that page', async () => {
  const here = world((request) =>
    request <= 16 ? { code: 'EXCHANGE_RATE_LIMITED', retryAfterMs: 20_000 } : 'answered',
  );
  const process = here.process();
  const warm = here.clock.runUntil(process.fetch('WARM/USDT')); // receives a response on its second request
  await warm;
  const opensAtMs = (here.sentAtMs[1] ?? 0) + 40 + 20_000;
  await here.clock.runUntil(many(process, 60));
  const early = here.sentAtMs.filter((atMs) => atMs > (here.sentAtMs[1] ?? 0) + 140 && atMs < opensAtMs);
  expect(early).toEqual([]);
});

test("a venue's gate, breaker and budget do not affect another venue", async () => {
  const here = world((request) =>
    request === 1 ? { code: 'EXCHANGE_IP_BANNED', retryAfterMs: 86_400_000 } : 'answered',
  );
  expect(await here.clock.runUntil(here.process().fetch('BTC/USDT'))).toMatchObject({ ok: false });
  expect(await here.clock.runUntil(here.process({ exchange: 'okx' }).fetch('BTC/USDT'))).toMatchObject({ ok: true });
});

test('ten pages without a response open the breaker: others wait, or fail unsent with its code', async () => {
  const here = world(() => ({ code: 'EXCHANGE_SERVER_ERROR' }));
  const results = (
    await here.clock.runUntil(Promise.all([byWorkers(here.process(), 60), byWorkers(here.process(), 60)]))
  ).flat();
  const unsent = results.filter((result) => !result.ok && result.requests === 0);
  expect(results.every((result) => !result.ok && result.fault.code === 'EXCHANGE_SERVER_ERROR')).toBe(true);
  expect(unsent.length).toBeGreaterThanOrEqual(80);
  expect(here.sentAtMs.length).toBeLessThanOrEqual(40 * 4); // instead of 120 pages with 4 attempts each
  for (const result of unsent) {
    expect(result).toMatchObject({ why: 'breaker', notBeforeMs: null });
    if (!result.ok) expect(result.retryAtMs).toBeGreaterThan(0);
  }
});

test('a short outage is waited out: one page probes after the pause, then every waiting page is fetched', async () => {
  const here = world((_request, nowMs) => (nowMs < 15_000 ? { code: 'CONNECTION_FAILED' } : 'answered'));
  const results = await here.clock.runUntil(byWorkers(here.process(), 60));
  const answered = results.filter((result) => result.ok).length;
  expect(answered).toBeGreaterThanOrEqual(40);
  expect(results.filter((result) => !result.ok && result.requests === 0)).toEqual([]);
});

test('the breaker survives a restart: nothing is sent in its pause, then one of two pages probes', async () => {
  const here = world(() => ({ code: 'EXCHANGE_SERVER_ERROR' }));
  await here.clock.runUntil(byWorkers(here.process(), 60));
  const [sent, stoppedAtMs] = [here.sentAtMs.length, here.clock.monotonicMs()];
  const results = await here.clock.runUntil(many(here.process(), 2));
  expect(here.sentAtMs[sent]).toBeGreaterThan(stoppedAtMs + 10_000);
  expect(results.map((result) => result.requests).toSorted((a, b) => a - b)).toEqual([0, 4]);
  expect(here.sentAtMs.length).toBe(sent + 4);
});

test('an empty retry budget parks the page for a minute; first requests are free; it refills', async () => {
  // SCHEMA_MISMATCH has one retry, and the breaker ignores it.
  const here = world((request) => (request <= 300 ? { code: 'SCHEMA_MISMATCH' } : 'answered'));
  const process = here.process();
  const results: PageResult<string>[] = [];
  while (!results.some((result) => !result.ok && result.why === 'budget'))
    results.push(await here.clock.runUntil(process.fetch(`S${results.length}`)));
  const secondsPassed = here.clock.monotonicMs() / 1_000;
  expect(results.length - 1).toBeGreaterThanOrEqual(BUDGET_TOKENS_MAX / 5);
  expect(results.length - 1).toBeLessThanOrEqual((BUDGET_TOKENS_MAX + secondsPassed) / 5);
  expect(results.at(-1)).toMatchObject({
    ok: false,
    why: 'budget',
    requests: 1,
    notBeforeMs: here.clock.nowMs() + 60_000,
  });
  while (here.sentAtMs.length < 300) await here.clock.runUntil(process.fetch('MORE'));
  const empty = await here.tokens();
  expect(empty).toBeLessThan(10);
  for (let page = 0; page < 7; page++)
    expect(await here.clock.runUntil(process.fetch('GOOD'))).toMatchObject({ ok: true });
  expect(await here.tokens()).toBeGreaterThanOrEqual(empty + 7);
  await here.clock.runUntil(here.clock.sleep(600_000));
  expect(await here.tokens()).toBe(BUDGET_TOKENS_MAX);
});

test('a retry after a timeout costs twice as much, and a response refunds the cost of its page', async () => {
  const here = world((request) =>
    request === 1 ? { code: 'REQUEST_TIMEOUT' } : request === 2 ? { code: 'CONNECTION_FAILED' } : 'answered',
  );
  const fetched = here.process().fetch('BTC/USDT');
  await here.clock.run({ untilMs: here.clock.nowMs() + 45 });
  expect(await here.tokens()).toBeCloseTo(BUDGET_TOKENS_MAX - 10, 0);
  await here.clock.runUntil(fetched);
  expect(await here.tokens()).toBe(BUDGET_TOKENS_MAX);
});

test('after UNAUTHORIZED no process sends a request to any venue until the halt is lifted', async () => {
  let standing: UnauthorizedError | null = null;
  const haltedRuns: (string | null)[] = [];
  const halts: HaltSwitch = {
    standing: () => Promise.resolve(standing),
    engage: (fault, runId) => {
      haltedRuns.push(runId);
      standing = fault as UnauthorizedError;
      return Promise.resolve();
    },
  };
  const here = world((request) => (request === 1 ? { code: 'UNAUTHORIZED' } : 'answered'));
  expect(await here.clock.runUntil(here.process({ halts }).fetch('BTC/USDT'))).toMatchObject({
    ok: false,
    why: 'permanent',
    requests: 1,
  });
  expect(haltedRuns).toEqual(['run_1']);
  for (const exchange of ['binance', 'okx']) {
    expect(await here.clock.runUntil(here.process({ halts, exchange }).fetch('BTC/USDT'))).toMatchObject({
      ok: false,
      why: 'permanent',
      requests: 0,
      fault: { code: 'UNAUTHORIZED' },
    });
  }
  standing = null;
  expect(await here.clock.runUntil(here.process({ halts }).fetch('BTC/USDT'))).toMatchObject({ ok: true });
});

test('cancelling ends every kind of wait at once: gate, slot, weight and breaker', async () => {
  const here = world((request) =>
    request === 3 ? { code: 'EXCHANGE_RATE_LIMITED', retryAfterMs: 59_000 } : 'answered',
  );
  await warmUp(here);
  const stop = new AbortController();
  const ended = many({ fetch: (symbol) => here.process().fetch(symbol, stop.signal) }, 50).catch(
    (error: unknown) => error,
  );
  await here.clock.run({ untilMs: here.clock.nowMs() + 5_000 });
  const sent = here.sentAtMs.length;
  const beforeMs = here.clock.monotonicMs();
  stop.abort(new CancelledError('SIGINT'));
  expect(await here.clock.runUntil(ended)).toBeInstanceOf(CancelledError);
  expect(here.clock.monotonicMs()).toBe(beforeMs);
  await here.clock.run({ untilMs: here.clock.nowMs() + 600_000 });
  expect(here.sentAtMs.length).toBe(sent);
});

test('an outage of ten seconds fails the few pages that kept retrying, not every page in flight', async () => {
  const silent = world((_, nowMs) => (nowMs > 1_000 && nowMs < 11_000 ? { code: 'CONNECTION_FAILED' } : 'answered'));
  await warmUp(silent);
  await silent.clock.runUntil(silent.clock.sleep(1_000));
  const results = await silent.clock.runUntil(many(silent.process(), 64));
  const stopped = results.flatMap((result) => (result.ok ? [] : [result.why]));
  expect(stopped.filter((why) => why !== 'tries')).toEqual([]);
  expect(stopped.length).toBeLessThanOrEqual(5);
  expect(silent.sentAtMs.filter((atMs) => atMs > 1_000 && atMs < 11_000).length).toBeLessThanOrEqual(100);
});

test('while a venue is under suspicion, no two pages of one symbol send requests', async () => {
  const dead = world((_, nowMs) => (nowMs > 1_000 ? { code: 'CONNECTION_FAILED' } : 'answered'));
  await warmUp(dead);
  await dead.clock.runUntil(dead.clock.sleep(1_000));
  const process = dead.process();
  const pages = Promise.all(Array.from({ length: 20 }, () => process.fetch('BTC/USDT')));
  await dead.clock.runUntil(dead.clock.sleep(3_000));
  expect(dead.sentAtMs.filter((atMs) => atMs > 1_000).length).toBeLessThanOrEqual(20 + 6);
  await dead.clock.runUntil(pages);
});
