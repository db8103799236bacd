import { expect, test } from 'vitest';
import { candlekeep, directory, documentIn } from '../../../tests/support/command-line/command-line.ts';
import { EXIT } from '../exit-code.ts';
import type { ReportedGap } from '../../engine/queries/gap-report.ts';
import { EMPTY_ACCOUNT } from '../../domain/account.ts';
import { consoleOn, type Io } from './console.ts';
import { gapDocument } from './documents.ts';

const START_MS = Date.UTC(2024, 5, 1);
const gapAt = (at: number): ReportedGap => ({
  exchange: 'binance',
  symbol: 'BTC/USDT',
  interval: '1m',
  fromMs: START_MS + at * 120_000,
  toMs: START_MS + at * 120_000 + 60_000,
  candles: 1,
  state: 'pending',
  code: 'ROWS_MISSING',
  cause: 'second_look',
  nextAttemptAtMs: null,
});

test.each([0, 1, 5_000])(
  'the document of %i gaps is one JSON line with all of them, and no write holds more than a part of a long one',
  (gapsTotal) => {
    const writes: string[] = [];
    const stream = { isTTY: false, write: (text: string | Uint8Array) => void writes.push(String(text)) };
    const io: Io = { cwd: '.', env: {}, stdout: stream, stderr: stream, onStop: () => () => undefined };
    const gaps = Array.from({ length: gapsTotal }, (_, at) => gapAt(at));
    const account = {
      totals: { ...EMPTY_ACCOUNT, expected: gapsTotal, pending: gapsTotal },
      gaps,
      discrepancies: [{ where: 'a', message: 'b' }],
    };
    consoleOn(io, { json: true, color: false }).print({ document: () => gapDocument(account, EXIT.partial) });
    const text = writes.join('');
    expect(text.indexOf('\n')).toBe(text.length - 1);
    const document = JSON.parse(text) as { gaps: { from: string }[] };
    expect(document).toMatchObject({
      schema: 1,
      ok: false,
      exit: 3,
      totals: { expected: gapsTotal, pending: gapsTotal },
      discrepancies: [{ where: 'a', message: 'b' }],
    });
    expect(document.gaps.map(({ from }) => Date.parse(from))).toEqual(gaps.map(({ fromMs }) => fromMs));
    expect(Math.max(...writes.map(({ length }) => length))).toBeLessThan(100_000);
  },
);

test('a person reads the account, fifty gaps and the number of the others; the document has all', async () => {
  const cwd = directory();
  const env = {
    CANDLEKEEP_EXCHANGES: 'binance',
    CANDLEKEEP_SYMBOLS: Array.from({ length: 60 }, (_, at) => `C${at}/USDT`).join(','),
  };
  const command = ['check-gaps', '--start', '2024-06-01', '--end', '2024-06-01'];
  const lines = (await candlekeep(command, { cwd, env })).out.trimEnd().split('\n');
  expect(lines).toHaveLength(1 + 1 + 50 + 1);
  expect(lines.at(-1)).toBe('and 10 more gaps; --json lists all');
  expect(
    (documentIn((await candlekeep([...command, '--json'], { cwd, env })).out) as { gaps: unknown[] }).gaps,
  ).toHaveLength(60);
});
