import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DefectError, exchangeError } from './errors.ts';
import { asStorageError, CancelledError, classify, codeOf } from './classify.ts';

const caught = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};
/** As Node throws it. */
const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: write`), { code, syscall: 'write', path: 'bronze/seg-0001.zst' });

test('a pipeline error is a fault and stays the same object', () => {
  const fault = exchangeError('NOT_FOUND', 'no such market', {
    exchange: 'coinbase',
    status: 404,
    venueCode: null,
    retryAfterMs: null,
  });
  const verdict = classify(fault);
  expect(verdict.verdict).toBe('fault');
  expect(verdict.verdict === 'fault' && verdict.fault).toBe(fault);
});

test("an abort on request is cancelled: our reason and the platform's", () => {
  const controller = new AbortController();
  controller.abort();
  expect(classify(controller.signal.reason)).toEqual({ verdict: 'cancelled' });
  expect(classify(new CancelledError('Ctrl-C'))).toEqual({ verdict: 'cancelled' });
});

test('a time limit is no request to stop: TimeoutError is not cancelled', () => {
  const error = new DOMException('too slow', 'TimeoutError');
  expect(classify(error)).toEqual({ verdict: 'defect', error });
});

test('bugs, and things thrown that are no errors, are defects', () => {
  for (const error of [
    caught(() => (null as unknown as { x: number }).x),
    'text',
    undefined,
    { code: 'ENOSPC', syscall: 'write' },
  ]) {
    expect(classify(error)).toEqual({ verdict: 'defect', error });
  }
});

test('a defect that was wrapped on its way stays a defect', () => {
  const error = new DefectError('bug', { cause: new TypeError('x') });
  expect(classify(error)).toEqual({ verdict: 'defect', error });
});

test.each(['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EIO'])(
  '%s of the disk is a storage fault that keeps path, errno and cause',
  (errno) => {
    const cause = systemError(errno);
    const verdict = classify(cause);
    expect(verdict).toMatchObject({
      verdict: 'fault',
      fault: { code: 'STORAGE_FAILED', facts: { path: 'bronze/seg-0001.zst', errno } },
    });
    expect(verdict.verdict === 'fault' && verdict.fault.cause).toBe(cause);
  },
);

test('a missing file is a defect: we only read what we wrote', () => {
  expect(classify(caught(() => readFileSync(new URL('./no-such-file', import.meta.url)))).verdict).toBe('defect');
});

test("an errno without a system call is not the disk's", () => {
  expect(asStorageError(Object.assign(new Error('x'), { code: 'EACCES' }))).toBeNull();
});

test('the code of a failure is that of its fault, DEFECT for a bug, and null for a cancellation', () => {
  expect([systemError('EIO'), new TypeError('x'), new CancelledError('Ctrl-C')].map(codeOf)).toEqual([
    'STORAGE_FAILED',
    'DEFECT',
    null,
  ]);
});

test('a storage fault names its path, or the data directory where the system names none', () => {
  expect(asStorageError(systemError('EIO'))?.message).toContain('bronze/seg-0001.zst (EIO)');
  const nameless = asStorageError(Object.assign(new Error('x'), { code: 'ENOSPC', syscall: 'write' }));
  expect(nameless?.message).toContain('the data directory (ENOSPC)');
  expect(nameless?.facts).toEqual({ path: '', errno: 'ENOSPC' });
});
