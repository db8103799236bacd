import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { exchangeError, type ExchangeFaultCode } from '../../errors/errors.ts';
import { REQUESTS_PER_PAGE_MAX, SLEEP_MS_MAX } from '../../errors/schedule.ts';
import { FAULT_CODES, ruleOf } from '../../errors/table.ts';
import { backoffBoundMs, backoffMs } from './backoff.ts';
import { decide as decideUnder, retryPolicyOf, type AttemptHistory } from './decide.ts';
import { parseRetryAfter } from './retry-after.ts';

const EXCHANGE_CODES = FAULT_CODES.filter(
  (code): code is ExchangeFaultCode =>
    !/^ALERT|^ROWS|^SYMBOLS|^PUBLISH|^CONFIG|^STATE|^STORAGE|^CELLS|^ANSWER|^RUN|^DEFECT/.test(code),
);
const faultOf = (code: ExchangeFaultCode, retryAfterMs: number | null = null) =>
  exchangeError(code, 'test', { exchange: 'binance', status: null, venueCode: null, retryAfterMs });
type Past = Omit<AttemptHistory, 'hintMs'>;
const past = (tries: number, over: Partial<Past> = {}): Past => ({
  tries,
  attempts: tries,
  elapsedMs: 0,
  deadlineMs: 300_000,
  attemptsMax: REQUESTS_PER_PAGE_MAX,
  ...over,
});
const decide = ({ code, facts }: ReturnType<typeof faultOf>, before: Past, chance: number) =>
  decideUnder(retryPolicyOf(code), { ...before, hintMs: facts.retryAfterMs }, chance);

test.each([
  ['0', 0],
  ['3', 3_000],
  [' 3 ', 3_000],
  ['120', 120_000],
  ['86400', 86_400_000],
  ['Wed, 21 Oct 2015 07:28:10 GMT', 10_000],
  ['Wed, 21 Oct 2015 07:27:00 GMT', 0],
  ['', null],
  ['soon', null],
  ['-5', null],
  ['1.5', null],
  ['2015-10-21', null],
  [undefined, null],
] as const)('Retry-After %j means %j ms', (header, waitMs) => {
  expect(parseRetryAfter(header, Date.parse('2015-10-21T07:28:00Z'))).toBe(waitMs);
});

test('the parser never throws and never returns a negative wait', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), (header, nowMs) => {
      expect(parseRetryAfter(header, nowMs) ?? 0).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('full jitter stays between zero and the bound, which doubles up to its cap', () => {
  const backoff = { shape: 'exponential', baseMs: 500, capMs: 30_000 } as const;
  expect([1, 2, 3, 7, 20].map((retry) => backoffBoundMs(backoff, retry))).toEqual([500, 1_000, 2_000, 30_000, 30_000]);
  expect([1, 2, 3].map((retry) => backoffBoundMs({ ...backoff, shape: 'immediate' }, retry))).toEqual([0, 500, 1_000]);
  expect([1, 2].map((retry) => backoffBoundMs({ ...backoff, shape: 'fixed' }, retry))).toEqual([500, 500]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (retry, chance) => {
        const waitMs = backoffMs(backoff, retry, { chance, hintMs: null });
        expect(waitMs).toBeGreaterThanOrEqual(0);
        expect(waitMs).toBeLessThanOrEqual(backoffBoundMs(backoff, retry));
      },
    ),
  );
});

test("a fault without a backoff waits for the server's hint, or not at all", () => {
  expect([7_000, null].map((hintMs) => backoffMs(null, 1, { chance: 0.5, hintMs }))).toEqual([7_000, 0]);
});

test.each(EXCHANGE_CODES)('%s gets exactly the attempts that the table grants', (code) => {
  const { triesMax, kind, consequence } = ruleOf(code);
  const granted = consequence === 'parked' ? Math.max(triesMax, 2) : triesMax;
  const decisions = Array.from({ length: granted }, (_, at) =>
    decide(faultOf(code, consequence === 'parked' ? 1_000 : null), past(at + 1), 0.5),
  );
  if (kind === 'permanent') expect(decisions[0]).toEqual({ do: 'stop', why: 'permanent', notBeforeInMs: null });
  else {
    expect(decisions.slice(0, -1).every((decision) => decision.do === 'retry')).toBe(true);
    expect(decisions.at(-1)).toMatchObject({ do: 'stop', why: consequence === 'parked' ? 'parked' : 'tries' });
  }
});

test('a request is never repeated earlier than the server asked, and a wait too long to sleep is parked', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...EXCHANGE_CODES),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(200_000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (code, tries, hintMs, chance) => {
        const decision = decide(faultOf(code, hintMs), past(tries), chance);
        if (decision.do === 'retry') {
          expect(decision.waitMs).toBeGreaterThanOrEqual(hintMs);
          expect(decision.waitMs).toBeLessThanOrEqual(SLEEP_MS_MAX);
        } else if (decision.notBeforeInMs !== null) expect(decision.notBeforeInMs).toBeGreaterThanOrEqual(hintMs);
        if (hintMs > SLEEP_MS_MAX && ruleOf(code).kind !== 'permanent')
          expect(decision).toMatchObject({ do: 'stop', why: 'parked' });
      },
    ),
  );
});

test('a page has at most ten requests for any mix of codes', () => {
  expect(decide(faultOf('CONNECTION_FAILED'), past(1, { attempts: REQUESTS_PER_PAGE_MAX }), 0)).toMatchObject({
    do: 'stop',
    why: 'tries',
  });
});

test('a query limited to two requests gets no more, even if the table grants more', () => {
  expect(decide(faultOf('CONNECTION_FAILED'), past(1, { attemptsMax: 2 }), 0)).toMatchObject({
    do: 'retry',
  });
  expect(decide(faultOf('CONNECTION_FAILED'), past(2, { attemptsMax: 2 }), 0)).toMatchObject({
    do: 'stop',
    why: 'tries',
  });
  expect(decide(faultOf('CONNECTION_FAILED'), past(REQUESTS_PER_PAGE_MAX, { attemptsMax: 99 }), 0)).toMatchObject({
    do: 'stop',
    why: 'tries',
  });
});

test('a wait that would end after the deadline is not begun; its cells are parked until it would have ended', () => {
  const decision = decide(faultOf('EXCHANGE_SERVER_ERROR', 20_000), past(1, { elapsedMs: 290_000 }), 0);
  expect(decision).toEqual({ do: 'stop', why: 'deadline', notBeforeInMs: 20_000 });
});

test('a wait that ends exactly at the deadline is begun', () => {
  expect(decide(faultOf('EXCHANGE_SERVER_ERROR', 20_000), past(1, { elapsedMs: 280_000 }), 0)).toMatchObject({
    do: 'retry',
    waitMs: 20_000,
  });
});

test('a ban of 20 seconds is waited out once in the same run, and a second one parks', () => {
  expect(decide(faultOf('EXCHANGE_IP_BANNED', 20_000), past(1), 0)).toMatchObject({
    do: 'retry',
    waitMs: 20_000,
  });
  expect(decide(faultOf('EXCHANGE_IP_BANNED', 20_000), past(2), 0)).toEqual({
    do: 'stop',
    why: 'parked',
    notBeforeInMs: SLEEP_MS_MAX,
  });
  expect(decide(faultOf('EXCHANGE_IP_BANNED'), past(1), 0)).toMatchObject({
    do: 'stop',
    why: 'parked',
    notBeforeInMs: 120_000,
  });
});

test('maintenance without a stated end parks for five minutes', () => {
  expect(decide(faultOf('EXCHANGE_MAINTENANCE'), past(1), 0)).toEqual({
    do: 'stop',
    why: 'parked',
    notBeforeInMs: 300_000,
  });
});
