import { expect, test } from 'vitest';
import { memoryLog } from '../../../tests/support/virtual/memory-log.ts';
import { seededRandom } from '../../platform/seeded-random.ts';
import { VirtualClock } from '../../../tests/support/virtual/virtual-clock.ts';
import { CancelledError } from '../../errors/classify.ts';
import { ExchangeAPIError, exchangeError, type ExchangeFaultCode } from '../../errors/errors.ts';
import { SLEEP_MS_MAX } from '../../errors/schedule.ts';
import { FAULT_CODES, ruleOf } from '../../errors/table.ts';
import { backoffBoundMs } from './backoff.ts';
import { createExecutor } from './executor.ts';
import type { AttemptFailure, PageCall } from './page-call.ts';
import { okx } from '../../exchanges/okx/adapter.ts';
import type { HttpResponse } from '../../platform/ports/http.ts';
import type { ResiliencePolicies } from '../policies.ts';
import { permissivePolicies } from '../../../tests/support/permissive-policies.ts';

type Outcome = { readonly code: ExchangeFaultCode; readonly retryAfterMs?: number } | 'answered' | 'never' | Error;

const response: HttpResponse = { status: 200, headers: {}, body: new Uint8Array() };
const fault = (code: ExchangeFaultCode, retryAfterMs: number | null) =>
  exchangeError(code, code, { exchange: 'binance', status: null, venueCode: null, retryAfterMs });

/** One page in virtual time. Its requests end as listed; the last outcome repeats. */
function harness(
  outcomes: readonly Outcome[],
  over: {
    readonly policies?: (clock: VirtualClock) => Partial<ResiliencePolicies>;
    readonly deadlineMs?: number;
    readonly origins?: readonly string[];
    readonly request?: PageCall<string>['request'];
  } = {},
) {
  const random = seededRandom('executor');
  const clock = new VirtualClock({ random });
  const log = memoryLog();
  const sentAtMs: number[] = [];
  const urls: string[] = [];
  const failures: AttemptFailure[] = [];
  const sent = (url: string): Promise<HttpResponse> => {
    const outcome = outcomes[Math.min(sentAtMs.length, outcomes.length - 1)] ?? 'answered';
    sentAtMs.push(clock.monotonicMs());
    urls.push(url);
    if (outcome === 'never') return new Promise(() => undefined);
    if (outcome === 'answered') return Promise.resolve(response);
    return Promise.reject(outcome instanceof Error ? outcome : fault(outcome.code, outcome.retryAfterMs ?? null));
  };
  const executor = createExecutor({
    clock,
    random,
    http: { get: ({ url }) => sent(url) },
    log,
    policies: { ...permissivePolicies, ...over.policies?.(clock) },
    attemptTimeoutMs: 10_000,
    deadlineMs: over.deadlineMs ?? 300_000,
  });
  const call: PageCall<string> = {
    exchange: 'binance',
    symbol: 'BTC/USDT',
    runId: 'run_1',
    label: {},
    request: over.request ?? ((origin) => ({ url: origin, weight: 2 })),
    requestsMax: 10,
    origins: over.origins ?? ['https://one'],
    unrestrictedOrigin: 'free',
    read: () => 'rows',
    translate: () => null,
    usedWeight: () => [],
    onFailure: async (failure) => void failures.push(failure),
  };
  return {
    clock,
    log,
    sentAtMs,
    urls,
    failures,
    run: (signal = new AbortController().signal) => executor.execute(call, signal),
  };
}

const EXCHANGE_CODES = FAULT_CODES.filter(
  (code): code is ExchangeFaultCode =>
    code in
    ({
      EXCHANGE_RATE_LIMITED: 1,
      EXCHANGE_IP_BANNED: 1,
      EXCHANGE_MAINTENANCE: 1,
      EXCHANGE_SERVER_ERROR: 1,
      REQUEST_TIMEOUT: 1,
      CONNECTION_FAILED: 1,
      REQUEST_REJECTED: 1,
      UNAUTHORIZED: 1,
      FORBIDDEN: 1,
      NOT_FOUND: 1,
      SYMBOL_INVALID: 1,
      SCHEMA_MISMATCH: 1,
    } satisfies Record<ExchangeFaultCode, 1>),
);

test.each(EXCHANGE_CODES)(
  '%s: the requests its row grants, with waits inside the bounds of its policy, and none after the last',
  async (code) => {
    const rule = ruleOf(code);
    const { clock, sentAtMs, failures, run } = harness([{ code }]);
    const result = await clock.runUntil(run());
    await clock.runUntil(clock.sleep(3_600_000));
    const bounds = sentAtMs.slice(1).map((_, at) => (rule.backoff === null ? 0 : backoffBoundMs(rule.backoff, at + 1)));
    const isSlept = rule.backoff === null || rule.backoff.shape !== 'fixed' || rule.backoff.baseMs <= SLEEP_MS_MAX;
    expect(result).toMatchObject({ ok: false, requests: isSlept ? rule.triesMax : 1 });
    expect(sentAtMs).toHaveLength(isSlept ? rule.triesMax : 1);
    bounds.forEach((boundMs, at) => expect((sentAtMs[at + 1] ?? 0) - (sentAtMs[at] ?? 0)).toBeLessThanOrEqual(boundMs));
    expect(failures.map(({ fault: failed }) => failed.code)).toEqual(sentAtMs.map(() => code));
  },
);

test.each([0, 3, 60])('a Retry-After of %i s is waited in full before the page is requested again', async (seconds) => {
  const { clock, sentAtMs, run } = harness([
    { code: 'EXCHANGE_RATE_LIMITED', retryAfterMs: seconds * 1_000 },
    'answered',
  ]);
  expect(await clock.runUntil(run())).toMatchObject({ ok: true, value: 'rows', requests: 2 });
  expect((sentAtMs[1] ?? 0) - (sentAtMs[0] ?? 0)).toBeGreaterThanOrEqual(seconds * 1_000);
});

test.each([61, 120, 86_400])('a Retry-After of %i s parks the page until exactly then', async (seconds) => {
  const { clock, sentAtMs, run } = harness([{ code: 'EXCHANGE_SERVER_ERROR', retryAfterMs: seconds * 1_000 }]);
  const nowMs = clock.nowMs();
  expect(await clock.runUntil(run())).toMatchObject({ ok: false, why: 'parked', notBeforeMs: nowMs + seconds * 1_000 });
  expect(sentAtMs).toHaveLength(1);
});

test('each retry is logged with code, attempt, wait and reason before the wait', async () => {
  const { clock, log, run } = harness([{ code: 'EXCHANGE_SERVER_ERROR', retryAfterMs: 2_000 }, 'answered']);
  await clock.runUntil(run());
  expect(log.lines).toMatchObject([
    {
      level: 'warn',
      message: 'EXCHANGE_SERVER_ERROR; try 1 of 4, next in 2000 ms',
      fields: {
        event: 'fault',
        code: 'EXCHANGE_SERVER_ERROR',
        kind: 'transient',
        origin: 'https://one',
        request: 1,
        durationMs: 0,
        decision: 'retry',
        try: 1,
        triesMax: 4,
        waitMs: 2_000,
        nextAttemptAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      },
    },
  ]);
});

test('attempts are counted per code, each with its own limit, and a page has ten requests in all', async () => {
  const alternating: Outcome[] = Array.from({ length: 20 }, (_, at) => ({
    code:
      (['CONNECTION_FAILED', 'EXCHANGE_RATE_LIMITED', 'EXCHANGE_SERVER_ERROR'] as const)[at % 3] ?? 'CONNECTION_FAILED',
  }));
  const { clock, sentAtMs, run } = harness(alternating);
  expect(await clock.runUntil(run())).toMatchObject({ ok: false, requests: 10 });
  expect(sentAtMs).toHaveLength(10);
});

test('an attempt without a response times out as REQUEST_TIMEOUT; the first retry follows at once', async () => {
  const { clock, log, sentAtMs, run } = harness(['never', 'answered']);
  expect(await clock.runUntil(run())).toMatchObject({ ok: true, requests: 2 });
  expect(sentAtMs).toEqual([0, 10_000]);
  expect(log.lines[0]?.fields).toMatchObject({ code: 'REQUEST_TIMEOUT', durationMs: 10_000 });
});

test('a wait that would end after the deadline is not begun', async () => {
  const { clock, sentAtMs, run } = harness([{ code: 'EXCHANGE_SERVER_ERROR', retryAfterMs: 30_000 }], {
    deadlineMs: 45_000,
  });
  const nowMs = clock.nowMs();
  expect(await clock.runUntil(run())).toMatchObject({ ok: false, why: 'deadline', notBeforeMs: nowMs + 60_000 });
  expect(sentAtMs).toEqual([0, 30_000]);
});

test('waits before the first attempt do not count against the deadline, later ones do', async () => {
  const policies = (clock: VirtualClock) => ({
    limiter: {
      ...permissivePolicies.limiter,
      take: async (weight: number, signal: AbortSignal) => {
        await clock.sleep(400_000, signal);
        return permissivePolicies.limiter.take(weight, signal);
      },
    },
  });
  const once = harness(['answered'], { policies, deadlineMs: 300_000 });
  expect(await once.clock.runUntil(once.run())).toMatchObject({ ok: true });
  const twice = harness([{ code: 'EXCHANGE_SERVER_ERROR' }, 'answered'], { policies, deadlineMs: 300_000 });
  expect(await twice.clock.runUntil(twice.run())).toMatchObject({
    ok: false,
    why: 'deadline',
    fault: { code: 'EXCHANGE_SERVER_ERROR' },
    notBeforeMs: twice.clock.nowMs(),
  });
  expect(twice.sentAtMs).toHaveLength(1);
});

test('a request whose weight changes during the wait for admission is charged the weight it is sent with', async () => {
  const charged: number[] = [];
  const waitsMs = [60_000, 0];
  const policies = (clock: VirtualClock) => ({
    limiter: {
      ...permissivePolicies.limiter,
      take: async (weight: number, signal: AbortSignal) => {
        const at = charged.push(weight) - 1;
        await clock.sleep(waitsMs[at] ?? 0, signal);
        return {
          giveBack: () => {
            charged[at] = 0;
            return Promise.resolve();
          },
          settle: () => Promise.resolve(),
        };
      },
    },
  });
  // /candles still serves this candle when the page is planned, and no longer half a minute later.
  const fromMs = new VirtualClock({ random: seededRandom('executor') }).nowMs() - 1_439 * 60_000 + 30_000;
  const page = {
    series: { exchange: 'okx', symbol: 'BTC/USDT', interval: '1m' },
    range: { fromMs, toMs: fromMs + 300 * 60_000 },
  } as const;
  const sentRequests: ReturnType<typeof okx.candlesRequest>[] = [];
  const { clock, urls, run } = harness(['answered'], {
    policies,
    request: (origin, atMs) => {
      const request = okx.candlesRequest(origin, page, atMs);
      sentRequests.push(request);
      return request;
    },
  });
  expect(await clock.runUntil(run())).toMatchObject({ ok: true, url: urls[0] });
  expect(sentRequests[0]).toMatchObject({ url: expect.stringContaining('/candles?') as string, weight: 1 });
  expect(urls).toEqual([expect.stringContaining('/history-candles?')]);
  expect(charged.reduce((sum, one) => sum + one, 0)).toBe(2);
});

test('a failed connection switches to the next host; no other fault does', async () => {
  const { clock, urls, run } = harness(
    [{ code: 'CONNECTION_FAILED' }, { code: 'EXCHANGE_SERVER_ERROR' }, { code: 'CONNECTION_FAILED' }, 'answered'],
    { origins: ['one', 'two'] },
  );
  await clock.runUntil(run());
  expect(urls).toEqual(['one', 'two', 'two', 'one']);
});

test('a host that refuses our region (451) is replaced by the unrestricted host, also for later pages', async () => {
  const refusal = exchangeError('FORBIDDEN', 'refused', {
    exchange: 'binance',
    status: 451,
    venueCode: '0',
    retryAfterMs: null,
  });
  const { clock, urls, run } = harness([refusal, 'answered'], { origins: ['one', 'two', 'free'] });
  expect(await clock.runUntil(run())).toMatchObject({ ok: true, requests: 2 });
  await clock.runUntil(run());
  expect(urls).toEqual(['one', 'free', 'free']);
  const everywhere = harness([refusal], { origins: ['one', 'free'] });
  expect(await everywhere.clock.runUntil(everywhere.run())).toMatchObject({ ok: false, why: 'permanent', requests: 2 });
});

test('a host that failed to connect is not the first host of the next page', async () => {
  const { clock, urls, run } = harness([{ code: 'CONNECTION_FAILED' }, 'answered'], { origins: ['one', 'two'] });
  await clock.runUntil(run());
  await clock.runUntil(run());
  expect(urls).toEqual(['one', 'two', 'two']);
});

test('cancelling ends a wait at once and nothing more is sent', async () => {
  const { clock, sentAtMs, run } = harness([{ code: 'EXCHANGE_RATE_LIMITED', retryAfterMs: 50_000 }]);
  const stop = new AbortController();
  const running = run(stop.signal).catch((error: unknown) => ({ error, atMs: clock.monotonicMs() }));
  await clock.runUntil(clock.sleep(1_000));
  stop.abort(new CancelledError('SIGINT'));
  const ended = await clock.runUntil(running);
  expect(ended).toMatchObject({ atMs: 1_000 });
  expect((ended as { error: unknown }).error).toBeInstanceOf(CancelledError);
  await clock.runUntil(clock.sleep(600_000));
  expect(sentAtMs).toHaveLength(1);
});

test('an error that is no exchange fault is thrown unchanged and not retried', async () => {
  const bug = new TypeError('undefined is not a function');
  const { clock, sentAtMs, run } = harness([bug]);
  const thrown = await clock.runUntil(run().catch((error: unknown) => error));
  expect(thrown).toBe(bug);
  expect(thrown).not.toBeInstanceOf(ExchangeAPIError);
  expect(sentAtMs).toHaveLength(1);
});

test('a page that can use no grant is parked, and its message does not blame the exchange', async () => {
  let weight = 0;
  const { clock, log, sentAtMs, run } = harness(['answered'], {
    request: (origin) => ({ url: origin, weight: (weight += 1) }),
  });
  const untilMs = clock.nowMs() + SLEEP_MS_MAX;
  expect(await clock.runUntil(run())).toMatchObject({
    ok: false,
    why: 'parked',
    fault: expect.objectContaining({
      code: 'EXCHANGE_RATE_LIMITED',
      message: `binance: no grant could be used in 20 rounds; no request before ${new Date(untilMs).toISOString()}`,
    }),
    notBeforeMs: untilMs,
  });
  expect(sentAtMs).toEqual([]);
  expect(log.lines.map(({ message }) => message)).toEqual([expect.stringContaining('no grant could be used')]);
});
