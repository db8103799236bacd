import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { memoryLog } from '../../../tests/support/virtual/memory-log.ts';
import { openLog, prettyLine, type LogLevel } from './pino-log.ts';
import { redactorOf } from '../redaction.ts';

function lines(level: LogLevel, pretty: boolean): { log: ReturnType<typeof openLog>; written: string[] } {
  const written: string[] = [];
  return { log: openLog({ level, pretty, sink: { write: (line) => void written.push(line) } }), written };
}

test('a line is one JSON document with time, level, message and fields, written immediately', () => {
  const { log, written } = lines('info', false);
  log.with({ run: 'run_1' }).warn('binance limits our requests', { wait_ms: 2_000, symbol: undefined, note: null });
  expect(written).toHaveLength(1);
  const line = JSON.parse(written[0] ?? '') as Record<string, unknown>;
  expect(line).toEqual({
    time: expect.any(String),
    level: 'warn',
    message: 'binance limits our requests',
    pid: process.pid,
    run: 'run_1',
    wait_ms: 2_000,
    note: null,
  });
  expect(new Date(line['time'] as string).toISOString()).toBe(line['time']);
});

test.each([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
  ['silent', []],
] as const)('at level %s only lines as severe are written', (level, expected) => {
  const { log, written } = lines(level, false);
  for (const each of ['debug', 'info', 'warn', 'error'] as const) log[each]('said');
  expect(written.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
});

test('a JSON line names its writer, a human-readable one does not', () => {
  const written: string[] = [];
  for (const pretty of [false, true])
    openLog({
      level: 'info',
      pretty,
      writer: { host: 'vm-1', version: '1.2.3' },
      sink: { write: (line) => void written.push(line) },
    }).info('said');
  expect(JSON.parse(written[0] ?? '')).toMatchObject({ pid: process.pid, host: 'vm-1', version: '1.2.3' });
  expect(written[1]).toMatch(/ info  said\n$/);
});

test('a human-readable line is short and quotes ambiguous values', () => {
  const json = JSON.stringify({
    level: 'warn',
    time: '2024-01-02T03:04:05.678Z',
    pid: 1,
    symbol: 'BTC/USDT',
    tries: 2,
    note: 'two words',
    empty: '',
    nothing: null,
    message: 'asked again',
  });
  expect(prettyLine(json)).toBe(
    '03:04:05 warn  asked again symbol=BTC/USDT tries=2 note="two words" empty="" nothing=null\n',
  );
  const { log, written } = lines('info', true);
  log.error('disk full', { path: '/data' });
  expect(written[0]).toMatch(/^\d\d:\d\d:\d\d error disk full path=\/data\n$/);
});

test('a human-readable line repeats nothing; a JSON line has every field', () => {
  const json = JSON.stringify({
    level: 'warn',
    time: '2024-01-02T03:04:05.678Z',
    pid: 1,
    symbol: 'BTC/USDT',
    exchange: 'binance',
    status: 429,
    try: 1,
    triesMax: 5,
    waitMs: 2_000,
    limit: 42,
    empty: '',
    message: 'binance answered 429; try 1 of 5, next in 2000 ms (2.42)',
  });
  expect(prettyLine(json)).toBe(
    '03:04:05 warn  binance answered 429; try 1 of 5, next in 2000 ms (2.42) symbol=BTC/USDT limit=42 empty=""\n',
  );
});

test('lines go to standard error, and a closed reader does not fail the program', async () => {
  const script = `
    import { openLog } from ${JSON.stringify(new URL('./pino-log.ts', import.meta.url).href)};
    const log = openLog({ level: 'info', pretty: true });
    log.info('first');
    process.stdin.once('data', () => {
      for (let n = 0; n < 100; n++) log.info('to nobody');
      process.exit(42);
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
  const [chunk] = (await once(child.stderr, 'data')) as [Buffer];
  expect(chunk.toString()).toContain('info  first');
  child.stderr.destroy();
  child.stdin.write('go\n');
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(42);
});

test.each([true, false])('secrets are redacted in messages, fields and errors (pretty: %s)', (pretty) => {
  const written: string[] = [];
  const log = openLog({
    level: 'info',
    pretty,
    redact: redactorOf(['https://hooks.slack.test/services/T0/B0/abcdef']),
    sink: { write: (line) => void written.push(line) },
  });
  log
    .with({ url: 'https://hooks.slack.test/services/T0/B0/abcdef' })
    .error('POST https://hooks.slack.test/services/T0/B0/abcdef failed', { path: '/services/T0/B0/abcdef' });
  expect(written).toHaveLength(1);
  expect(written[0]).not.toContain('abcdef');
  expect(written[0]?.split('********')).toHaveLength(pretty ? 3 : 4);
});

test('the log for tests keeps every line with its fields', () => {
  const log = memoryLog();
  log.info('plain');
  log.with({ run: 'run_1' }).with({ asset: 'gold' }).error('failed', { code: 'DEFECT' });
  expect(log.lines).toEqual([
    { level: 'info', message: 'plain', fields: {} },
    { level: 'error', message: 'failed', fields: { run: 'run_1', asset: 'gold', code: 'DEFECT' } },
  ]);
});
