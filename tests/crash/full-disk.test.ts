import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dayRange } from '../../src/domain/partition.ts';
import { generatedWorld } from '../../src/simulation/generated-world.ts';
import { ROOT, crashHarness } from './harness.ts';

const DAYS = { start: '2024-06-01', end: '2024-06-14' };
const world = generatedWorld('full disk', [
  {
    symbol: 'BTC/USDT',
    venueSymbol: 'BTCUSDT',
    interval: '1m',
    range: { fromMs: dayRange(DAYS.start).fromMs, toMs: dayRange(DAYS.end).toMs },
  },
]);

/**
 * In its own mount namespace, which needs no rights and leaves nothing mounted: a disk of 24 MB that is filled while a
 * backfill writes to it, and freed again. Prints an exit code per line, the number of temporary files, the account.
 */
const SCRIPT = `
mount -t tmpfs -o size=24m tmpfs "$CANDLEKEEP_DATA_DIR" || exit 99
"$NODE" "$MAIN" $BACKFILL > /dev/null & child=$!
until ls "$CANDLEKEEP_DATA_DIR"/bronze/*/*/*/*.zst > /dev/null 2>&1; do sleep 0.02; done
cat /dev/zero > "$CANDLEKEEP_DATA_DIR/ballast" 2> /dev/null
wait $child; echo $?
"$NODE" "$MAIN" $BACKFILL > /dev/null; echo $?
rm "$CANDLEKEEP_DATA_DIR/ballast"
"$NODE" "$MAIN" $BACKFILL > /dev/null; echo $?
find "$CANDLEKEEP_DATA_DIR" -name '.tmp-*' | wc -l
"$NODE" "$MAIN" check-gaps --interval 1m --start ${DAYS.start} --end ${DAYS.end} --verify --json
`;

test('a full disk ends a backfill with exit 2 and lets no other begin; with room again it completes', async () => {
  const { url, dataDir } = await crashHarness(
    {
      seed: 'full disk',
      rules: [{ match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'slow', delayMs: 150 } }],
    },
    world,
  );
  const env = {
    ...process.env,
    CANDLEKEEP_BINANCE_URL: url,
    CANDLEKEEP_DATA_DIR: dataDir,
    CANDLEKEEP_SYMBOLS: 'BTC/USDT',
    LOG_LEVEL: 'silent',
    NODE: process.execPath,
    MAIN: join(ROOT, 'src/cli/main.ts'),
    BACKFILL: `backfill --interval 1m --start ${DAYS.start} --end ${DAYS.end} --json`,
  };
  const child = spawn('unshare', ['-rm', 'sh', '-c', SCRIPT], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => child.on('close', resolve));
  const [whileFilling, whenFull, withRoom, leftovers, account = '{}'] = Buffer.concat(chunks).toString().split('\n');
  expect({ whileFilling, whenFull, withRoom, leftovers: leftovers?.trim() }).toEqual({
    whileFilling: '2',
    whenFull: '2',
    withRoom: '0',
    leftovers: '0',
  });
  expect(JSON.parse(account)).toMatchObject({
    ok: true,
    discrepancies: [],
    totals: { expected: 20_160, present: 20_160 },
  });
});
