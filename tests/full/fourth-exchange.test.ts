import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { generatedWorld } from '../../src/simulation/generated-world.ts';
import { serveOnLoopback } from '../../src/simulation/loopback.ts';
import { standInTidewater } from '../tidewater/stand-in.ts';

const ROOT = join(import.meta.dirname, '../..');
const RANGE = { fromMs: Date.UTC(2024, 5, 1), toMs: Date.UTC(2024, 5, 4) };

/** The source with one more folder under `src/exchanges` and its line in the registry. */
function sourceWithTidewater(): string {
  const directory = mkdtempSync(join(tmpdir(), 'candlekeep-fourth-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const part of ['src', 'package.json', 'recordings'])
    cpSync(join(ROOT, part), join(directory, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'));
  const folder = join(directory, 'src/exchanges/tidewater');
  mkdirSync(folder);
  for (const file of ['entry.ts', 'adapter.ts', 'wire.ts', 'error-codes.ts']) {
    const text = readFileSync(join(ROOT, 'tests/tidewater', file), 'utf8');
    writeFileSync(
      join(folder, file),
      text.replaceAll('../../src/exchanges/', '../').replaceAll('../../src/', '../../'),
    );
  }
  const registry = join(directory, 'src/exchanges/registry.ts');
  const before = readFileSync(registry, 'utf8');
  const registered = before.replace('[binance, coinbase, okx]', '[binance, coinbase, okx, tidewater]');
  const after = `import { tidewater } from './tidewater/entry.ts';\n${registered}`;
  expect(after.length).toBeGreaterThan(before.length + 50);
  writeFileSync(registry, after);
  return directory;
}

test('with one folder and one line in the registry, the command line knows an exchange and its candles', async () => {
  const directory = sourceWithTidewater();
  const world = generatedWorld('fourth', [
    { symbol: 'BTC/USDT', venueSymbol: 'btc-usdt', interval: '1h', range: RANGE, quietPerMille: 0 },
  ]);
  const server = await serveOnLoopback(standInTidewater.open({ world }).handle, { clock: realClock });
  onTestFinished(() => server.close());
  const env = {
    ...process.env,
    CANDLEKEEP_EXCHANGES: 'tidewater',
    CANDLEKEEP_SYMBOLS: 'tidewater:BTC/USDT',
    CANDLEKEEP_TIDEWATER_URL: server.url,
    CANDLEKEEP_DATA_DIR: join(directory, 'data'),
    LOG_LEVEL: 'silent',
  };
  const run = (...args: string[]): Promise<{ exit: number | null; json: unknown }> =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [join(directory, 'src/cli/main.ts'), ...args, '--json'], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const chunks: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      child.on('close', (exit) => resolve({ exit, json: JSON.parse(Buffer.concat(chunks).toString()) }));
    });
  const days = ['--start', '2024-06-01', '--end', '2024-06-03'];
  expect(await run('backfill', ...days)).toMatchObject({ exit: 0, json: { ok: true, pending: 0 } });
  expect(await run('check-gaps', ...days, '--verify')).toMatchObject({
    exit: 0,
    json: { totals: { expected: 72, present: 72 } },
  });
  expect(await run('run', '--exchange', 'tidewater', '--date', '2024-06-02')).toMatchObject({ exit: 0 });
});
