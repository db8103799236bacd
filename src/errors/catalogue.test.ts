import { expect, test } from 'vitest';
import { explainCode, faultsDocument, policyRows, runbookPage, triesText } from './catalogue.ts';
import { FAULT_CODES, ruleOf } from './table.ts';

test('the document has a row and a section for every code', () => {
  const lines = faultsDocument().split('\n');
  for (const code of FAULT_CODES) {
    expect(lines).toContain(`## ${code}`);
    expect(lines.filter((line) => line.startsWith(`| [${code}](#${code.toLowerCase()}) |`))).toHaveLength(1);
  }
});

test('every row of every table in the document has as many cells as its head', () => {
  const cells = faultsDocument()
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').length);
  expect(cells).toHaveLength(FAULT_CODES.length + 2);
  expect(new Set(cells).size).toBe(1);
});

test('explain prints signal, action and hint of a code', () => {
  const text = explainCode('EXCHANGE_IP_BANNED');
  const { signal, action, hint } = ruleOf('EXCHANGE_IP_BANNED');
  expect(text.split('\n')[0]).toBe('EXCHANGE_IP_BANNED');
  for (const part of [signal, action, hint, 'transient', 'error']) expect(text).toContain(part);
});

test('a code that pauses our requests has a second try where the wait is short', () => {
  expect(triesText('EXCHANGE_IP_BANNED')).toBe('1 (2 if the wait is at most 60 s)');
  expect(runbookPage('EXCHANGE_IP_BANNED', '')).toContain('· 1 try (2 if the wait is at most 60 s), wait 2 min ·');
  expect(triesText('EXCHANGE_RATE_LIMITED')).toBe('5');
  expect(triesText('FORBIDDEN')).toBe('1');
});

test('the policies spell out the numbers of the table', () => {
  const byCode = Object.fromEntries(policyRows().map((row) => [row.code, row]));
  expect(byCode).toMatchObject({
    EXCHANGE_RATE_LIMITED: {
      kind: 'transient',
      tries: 5,
      backoff: 'full jitter, 1 s doubling to 60 s',
      level: 'warning',
    },
    REQUEST_TIMEOUT: { tries: 3, backoff: 'immediately, then full jitter, 500 ms doubling to 30 s' },
    EXCHANGE_MAINTENANCE: { tries: 1, backoff: '5 min' },
    UNAUTHORIZED: { kind: 'permanent', tries: 1, backoff: '-', afterTheLast: 'the run stops', level: 'critical' },
  });
});
