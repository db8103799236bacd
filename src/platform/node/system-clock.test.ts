import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { Clock } from '../ports/clock.ts';
import { untilAborted, withTimeLimit } from '../time-limit.ts';
import { realClock } from './system-clock.ts';
import { seededRandom } from '../seeded-random.ts';
import { VirtualClock } from '../../../tests/support/virtual/virtual-clock.ts';

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
beforeEach(() => void process.on('unhandledRejection', note));
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  assert.deepEqual(unhandled.splice(0), []);
});

const never = new Promise<never>(() => undefined);
const virtual = (): VirtualClock => new VirtualClock({ random: seededRandom('clock') });
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;
const timeoutError = (): Error => new RangeError('too slow');

test('an abort ends a real sleep of a day immediately, with its reason', async () => {
  const stop = new AbortController();
  const sleeping = realClock.sleep(86_400_000, stop.signal);
  expect(listeners(stop.signal)).toBe(1);
  const reason = new Error('stop');
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
  await expect(realClock.sleep(86_400_000, stop.signal)).rejects.toBe(reason);
  expect(listeners(stop.signal)).toBe(0);
});

test('a real sleep leaves no listener', async () => {
  const { signal } = new AbortController();
  await realClock.sleep(1, signal);
  expect(listeners(signal)).toBe(0);
});

test('a sleep longer than one timer is not shortened, and no sleep loses its fraction', async () => {
  vi.useFakeTimers();
  try {
    let woken = 0;
    void realClock.sleep(40 * 86_400_000 + 0.4).then(() => (woken += 1));
    await vi.advanceTimersByTimeAsync(40 * 86_400_000);
    expect(woken).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(woken).toBe(1);
  } finally {
    vi.useRealTimers();
  }
});

test('tracking on the real clock returns the promise', () => {
  expect(realClock.track(never)).toBe(never);
});

/**
 * Runs `work` under a limit of 100 ms in virtual time, and tells how and when it ended and that nothing was left
 * behind.
 */
async function limited(
  work: (signal: AbortSignal, clock: Clock) => Promise<unknown>,
  abortAtMs: number | null = null,
): Promise<unknown> {
  const clock = virtual();
  const outer = new AbortController();
  let inner: AbortSignal | undefined;
  if (abortAtMs !== null) void clock.sleep(abortAtMs).then(() => outer.abort(new Error('stop')));
  const run = withTimeLimit(clock, { limitMs: 100, timeoutError, outer: outer.signal }, (signal) =>
    work((inner = signal), clock),
  );
  const ended = await clock.runUntil(
    run.then(
      (value) => ['value', value, clock.monotonicMs()],
      (error: Error) => [error.name, error.message, clock.monotonicMs()],
    ),
  );
  expect(listeners(outer.signal)).toBe(0);
  expect(inner ? listeners(inner) : 0).toBe(0);
  return ended;
}

test('work within the limit returns its value and cancels the timer', async () => {
  expect(await limited(async (_signal, clock) => clock.sleep(99).then(() => 'done'))).toEqual(['value', 'done', 99]);
});

test('work beyond the limit rejects with the given error on time, even when it ignores its signal', async () => {
  expect(await limited((signal, clock) => clock.sleep(1_000, signal))).toEqual(['RangeError', 'too slow', 100]);
  expect(await limited((_signal, clock) => clock.sleep(1_000))).toEqual(['RangeError', 'too slow', 100]);
  expect(await limited((_signal, clock) => clock.sleep(150).then(() => Promise.reject(new Error('late'))))).toEqual([
    'RangeError',
    'too slow',
    100,
  ]);
});

test('a response that arrived in time counts, even when the process was blocked past the limit', async () => {
  const markerFile = join(mkdtempSync(join(tmpdir(), 'candlekeep-clock-')), 'answered');
  onTestFinished(() => rmSync(dirname(markerFile), { recursive: true }));
  const child = spawn(process.execPath, [
    '-e',
    `const written = () => require("fs").writeFileSync(${JSON.stringify(markerFile)}, "");
     process.stdin.once("data", () => process.stdout.write("answer", written));
     process.stdout.write("ready")`,
  ]);
  await once(child.stdout, 'data');
  const response = (): Promise<string> => {
    const chunk = once(child.stdout, 'data') as Promise<[Buffer]>;
    child.stdin.write('go');
    return chunk.then(([bytes]) => bytes.toString());
  };
  const limited = withTimeLimit(
    realClock,
    { limitMs: 1_000, timeoutError, outer: new AbortController().signal },
    response,
  );
  await realClock.yieldToEventLoop(); // the request is sent
  const limitOverMs = realClock.monotonicMs() + 1_000;
  while (!existsSync(markerFile) || realClock.monotonicMs() < limitOverMs) continue;
  expect(await limited).toBe('answer');
  child.kill();
});

test('an abort from outside takes effect immediately, whatever the work does', async () => {
  expect(await limited((signal, clock) => clock.sleep(1_000, signal), 30)).toEqual(['Error', 'stop', 30]);
  expect(await limited((_signal, clock) => clock.sleep(1_000), 30)).toEqual(['Error', 'stop', 30]);
});

test('an error of the work is passed on, immediate or later', async () => {
  expect(await limited(() => Promise.reject(new TypeError('at once')))).toEqual(['TypeError', 'at once', 0]);
  expect(
    await limited(() => {
      throw new TypeError('before the first promise');
    }),
  ).toEqual(['TypeError', 'before the first promise', 0]);
});

test('an aborted signal starts no work', async () => {
  const work = vi.fn<() => Promise<void>>();
  const reason = new Error('stop');
  await expect(
    withTimeLimit(virtual(), { limitMs: 100, timeoutError, outer: AbortSignal.abort(reason) }, work),
  ).rejects.toBe(reason);
  expect(work).not.toHaveBeenCalled();
});

test('of work, limit and abort the earliest decides', async () => {
  // Never equal: at the same moment the seed decides.
  const times = fc.uniqueArray(
    fc.integer({ min: 1, max: 300 }).filter((ms) => ms !== 100),
    { minLength: 2, maxLength: 2 },
  );
  await fc.assert(
    fc.asyncProperty(times, async ([workMs = 0, abortMs = 0]) => {
      const endMs = Math.min(workMs, abortMs, 100);
      const expected =
        endMs === workMs
          ? ['value', 'done', workMs]
          : endMs === abortMs
            ? ['Error', 'stop', abortMs]
            : ['RangeError', 'too slow', 100];
      expect(await limited((_signal, clock) => clock.sleep(workMs).then(() => 'done'), abortMs)).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test('waiting with a signal settles with the work, or immediately with the reason', async () => {
  const { signal } = new AbortController();
  expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
  await expect(untilAborted(Promise.reject(new RangeError('work')), signal)).rejects.toThrow(RangeError);
  expect(listeners(signal)).toBe(0);
  const reason = new Error('stop');
  await expect(untilAborted(never, AbortSignal.abort(reason))).rejects.toBe(reason);
  await expect(untilAborted(Promise.reject(new Error('late')), AbortSignal.abort(reason))).rejects.toBe(reason);
});
