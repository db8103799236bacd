import { stripVTControlCharacters } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { candlekeep } from '../../../tests/support/command-line/command-line.ts';
import { consoleOn, grouped, type Io } from './console.ts';

const ESCAPE = '\u001B';
const PIECES = new RegExp(String.raw`${ESCAPE}\[\d+A|${ESCAPE}\[0J|\n|[^\n${ESCAPE}]+`, 'g');

/** What a terminal of `columns` shows in the end: text, newlines, and the two escapes a live block is made of. */
function terminal(columns: number) {
  const rows: string[] = [''];
  const write = (text: string | Uint8Array): void => {
    for (const [part = ''] of String(text).matchAll(PIECES)) {
      const up = /\[(\d+)A/.exec(part)?.[1];
      if (up !== undefined) rows.splice(rows.length - 1 - Number(up), Infinity, '');
      else if (part === '\n') rows.push('');
      else if (!part.endsWith('[0J'))
        rows.splice(-1, 1, ...(`${rows.at(-1)}${part}`.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []));
    }
  };
  const stream = { isTTY: true, columns: () => columns, write };
  const io: Io = { cwd: '.', env: {}, stdout: stream, stderr: stream, onStop: () => () => undefined };
  return { screen: consoleOn(io, { json: false, color: true }), rows };
}

test('lines printed beside a live block stay, and only the last state of the block, whatever its line lengths', () => {
  const { screen, rows } = terminal(20);
  screen.live('run 1/2  binance [##..] 1/9  BTC/USDT');
  screen.say('warn  answered 502');
  screen.live('run 1/2  binance [###.] 5/9  ETH/USDT');
  screen.live('run 2/2');
  screen.text('720 rows');
  expect(rows).toEqual(['warn  answered 502', '720 rows', '']);
});

test.each([
  [true, false],
  [false, true],
  [true, true],
  [false, false],
])('a stream is coloured when it is a terminal itself (standard output %s, standard error %s)', (isOut, isErr) => {
  const written = { out: '', err: '' };
  const io: Io = {
    cwd: '.',
    env: {},
    stdout: { isTTY: isOut, write: (text) => void (written.out += String(text)) },
    stderr: { isTTY: isErr, write: (text) => void (written.err += String(text)) },
    onStop: () => () => undefined,
  };
  const screen = consoleOn(io, { json: false, color: true });
  screen.text(screen.colour('green', 'data'));
  screen.say(screen.colour('red', 'said'));
  expect([written.out.includes(ESCAPE), written.err.includes(ESCAPE)]).toEqual([isOut, isErr]);
  expect(Object.values(written).map((text) => stripVTControlCharacters(text))).toEqual(['data\n', 'said\n']);
});

test('on a terminal lines of the log go through the screen, so that no redraw takes them away', async () => {
  const { err } = await candlekeep(['run', '--date', '2024-06-01', '--symbol', 'BTC/USDT'], {
    env: { LOG_LEVEL: 'warn', CANDLEKEEP_DEADLINE: '50ms' },
    isTTY: true,
  });
  expect(err).toMatch(/^\d\d:\d\d:\d\d warn {2}binance cannot be reached \(ECONNREFUSED\)/m);
});

test('digits are grouped as English groups them', () => {
  fc.assert(fc.property(fc.maxSafeInteger(), (amount) => grouped(amount) === amount.toLocaleString('en-US')));
});
