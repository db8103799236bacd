import { expect, test } from 'vitest';
import { REQUESTS_PER_PAGE_MAX } from './schedule.ts';
import { FAULT_CODES, isFaultCode, ruleOf } from './table.ts';

test('whatever is tried more than once says how long to wait in between', () => {
  expect(FAULT_CODES.filter((code) => ruleOf(code).triesMax > 1 && ruleOf(code).backoff === null)).toEqual([]);
});

test('no backoff begins above its own cap', () => {
  const backoffs = FAULT_CODES.flatMap((code) => ruleOf(code).backoff ?? []);
  expect(backoffs.length).toBeGreaterThan(0);
  expect(backoffs.filter(({ baseMs, capMs }) => baseMs > capMs)).toEqual([]);
});

test('permanent faults and defects are never tried again', () => {
  const final = FAULT_CODES.filter((code) => ['permanent', 'defect'].includes(ruleOf(code).kind));
  expect(final).toContain('UNAUTHORIZED');
  expect(final).toContain('DEFECT');
  expect(final.filter((code) => ruleOf(code).triesMax !== 1)).toEqual([]);
});

test('no code alone may use up more requests than a page is given', () => {
  expect(FAULT_CODES.filter((code) => ruleOf(code).triesMax > REQUESTS_PER_PAGE_MAX)).toEqual([]);
});

test('every code tells a person what was seen, what happens and what to do, in sentences', () => {
  for (const code of FAULT_CODES) {
    const { signal, action, hint } = ruleOf(code);
    expect(signal, code).not.toBe('');
    expect(action, code).toMatch(/\.$/);
    expect(hint, code).toMatch(/\.$/);
  }
});

test('a name that only objects have is no fault code', () => {
  expect(isFaultCode('DEFECT')).toBe(true);
  expect(isFaultCode('toString')).toBe(false);
});
