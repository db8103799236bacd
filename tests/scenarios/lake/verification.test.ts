import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silverColumns, silverRows } from '../../../src/lake/candle-columns.ts';
import { simulate, verifiedAccount, type Simulation } from '../../support/simulated.ts';

const MONTH = { start: '2024-06-01', end: '2024-06-30' };

const report = (simulation: Simulation) => verifiedAccount(simulation, MONTH);

/** A month of three symbols, all stored, and its only silver file. */
async function stored(): Promise<{ readonly simulation: Simulation; readonly file: string }> {
  const simulation = await simulate({ seed: 'verify', symbols: ['BTC/USDT', 'ETH/USDT', 'SOL/USDT'], interval: '1h' });
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
  const silver = join(simulation.dataDir, 'silver');
  const name = readdirSync(silver, { recursive: true, encoding: 'utf8' }).find((one) => one.endsWith('.parquet')) ?? '';
  expect((await report(simulation)).discrepancies).toEqual([]);
  return { simulation, file: join(silver, name) };
}

test('a row deleted from a silver file is found, whatever the ledger says', async () => {
  const { simulation, file } = await stored();
  const { parquet } = simulation.pipeline.ports;
  const rows = silverRows(await simulation.clock.runUntil(parquet.decode(readFileSync(file))));
  writeFileSync(
    file,
    await simulation.clock.runUntil(parquet.encode(silverColumns(rows.filter((_, at) => at !== 100)))),
  );
  const found = await report(simulation);
  expect(found.discrepancies.map(({ message }) => message).join('\n')).toContain(
    '23 candles in the file, 24 in the ledger',
  );
});

test('a flipped byte in a silver file is found', async () => {
  const { simulation, file } = await stored();
  const bytes = readFileSync(file);
  bytes[Math.floor(bytes.length / 3)]! ^= 1;
  writeFileSync(file, bytes);
  expect((await report(simulation)).discrepancies.length).toBeGreaterThan(0);
});

test('a missing silver file is found', async () => {
  const { simulation, file } = await stored();
  simulation.pipeline.ports.files.remove(file);
  expect((await report(simulation)).discrepancies.length).toBeGreaterThan(0);
});
