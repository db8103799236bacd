import { expect, test } from 'vitest';
import { differenceOf, masked, stepsOf } from '../support/command-line/documented-session.ts';

const SHOWN = `run_0mwvneo2d5yvnl  1h  2024-06-01..2024-06-30  partial
  bronze_binance_ohlcv     partial   2 of 3 symbols, 1,440 rows  SOL/USDT EXCHANGE_SERVER_ERROR
...
720 candles pending, next attempt 2026-11-25T04:58:33.138Z`;
const REAL = `run_0nxaaaaaaaaaaa  1h  2024-06-01..2024-06-30  partial\r
  bronze_binance_ohlcv    partial  2 of 3 symbols, 1,440 rows  SOL/USDT EXCHANGE_SERVER_ERROR\r
  silver_ohlcv_normalized  partial   2 of 3 symbols\r
\u001B[33m720 candles pending, next attempt 2027-01-02T00:00:00Z\u001B[0m\r
`;

test('other ids, present times, padding, colours and omitted lines make no difference', () => {
  expect(differenceOf(SHOWN, REAL)).toBeNull();
  expect(differenceOf('wrote ... in ~/my-candles', 'wrote a and b in ~/my-candles')).toBeNull();
  expect(differenceOf('', '\r\n')).toBeNull();
});

test.each([
  ['a number', SHOWN.replace('1,440', '1,441'), REAL],
  ['a recorded day', SHOWN.replace('2024-06-30', '2024-06-29'), REAL],
  ['a line too many', `${SHOWN}\nand one more`, REAL],
  [
    'a line too few',
    SHOWN.replace('720 candles pending, next attempt 2026-11-25T04:58:33.138Z', '').replace('...\n', ''),
    REAL,
  ],
  ['an output that is shown as none', '', 'warning: something'],
  ['an omission of nothing that fits', 'a\n...\nc', 'a\nb'],
  ['an unmasked amount', '3 pages', '4 pages'],
])('%s is found', (_, shown, real) => {
  expect(differenceOf(shown, real)).toMatch(/^expected at line \d+: .*\nin what was printed:/);
});

test('times of recorded candles are compared, times of the present are not', () => {
  expect(masked('2024-06-01T00:00:00Z 2026-11-25T04:58:33.138Z fetched=2026-11-25')).toBe(
    '2024-06-01T00:00:00Z <time> fetched=<day>',
  );
  expect(masked('04:50:26 warn  next in 1,000 ms, 82.9 GB free, v24.21.0 at http://127.0.0.1:4781')).toBe(
    '<clock> warn next in <amount> ms, <amount> GB free, <version> at http://127.0.0.1:<port>',
  );
});

test('a session is the commands of its console blocks in order, with the lines that follow each', () => {
  const text =
    '```console\n$ one \\\n  more\nshown\n$ two\n```\n```console second terminal\n$ three\nup\n```\n' +
    '```console not run\n$ four\n```\n```sh\n$ five\n```\n```json a.json\n{}\n```\n';
  expect(stepsOf('x.md', text)).toEqual([
    { terminal: 'first', command: 'one \\\n  more', shown: 'shown' },
    { terminal: 'first', command: 'two', shown: '' },
    { terminal: 'second', command: 'three', shown: 'up\n' },
    { terminal: 'first', command: "cat > a.json << 'END-OF-BLOCK'\n{}\nEND-OF-BLOCK", shown: '' },
  ]);
  expect(() => stepsOf('x.md', '```console\nwithout\n```\n')).toThrow('begins without a command');
  expect(() => stepsOf('x.md', '```console notrun\n$ x\n```\n')).toThrow('no console block is "notrun"');
});
