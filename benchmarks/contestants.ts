import { readFileSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Candle } from '../src/domain/candle.ts';
import { DAY_MS } from '../src/domain/interval.ts';
import { candlekeep } from './candlekeep.ts';
import { NUMBERS_PER_ROW, rowsFile, type ReportedGap } from './clients/rows.ts';
import type { Task } from './workload.ts';
import type { Contestant } from './contestant.ts';
import type { StoredDay } from './assessment.ts';
import { runNode, type Ended } from './processes.ts';

export const CONTESTANTS: readonly Contestant[] = [
  candlekeep({ name: 'candlekeep', processes: 1 }),
  client('reference', 'reference.ts'),
  client('ccxt-parallel', 'ccxt-paginate.ts', { parallel: true, retries: false }),
  client('ccxt-parallel-retries', 'ccxt-paginate.ts', { parallel: true, retries: true }),
  client('ccxt-sequential', 'ccxt-paginate.ts', { parallel: false, retries: false }),
  client('ccxt-sequential-retries', 'ccxt-paginate.ts', { parallel: false, retries: true }),
  client('freqtrade', 'freqtrade.ts'),
  client('naive', 'naive.ts'),
];

/** A contestant that consists of one script in clients/. */
function client(name: string, script: string, ...options: readonly object[]): Contestant {
  return {
    name,
    run: async (task, { wallMsMax }) => {
      const path = fileURLToPath(new URL(`clients/${script}`, import.meta.url));
      const ended = await runNode({
        args: [path, JSON.stringify(task), ...options.map((option) => JSON.stringify(option))],
        directory: task.directory,
        name: 'client',
        wallMsMax,
      });
      return {
        processes: [ended],
        wallMs: ended.wallMs,
        result: { stored: storedDays(task), columns: 'first-six', reported: reportedBy(ended, task) },
      };
    },
  };
}

/** A client that failed or was killed counts as having reported every candle as missing. */
function reportedBy({ stdout, exit }: Ended, { symbols, range }: Task): readonly ReportedGap[] {
  const last = stdout.trim().split('\n').at(-1) ?? '';
  if (exit === 0) return (JSON.parse(last) as { failed: ReportedGap[] }).failed;
  return symbols.map((symbol) => ({ symbol, ...range, why: exit === null ? 'killed' : `exit ${exit}` }));
}

function* storedDays({ directory, symbols }: Task): Iterable<StoredDay> {
  for (const symbol of symbols) {
    const path = rowsFile(directory, symbol);
    if (!existsSync(path)) continue;
    const bytes = readFileSync(path);
    const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / Float64Array.BYTES_PER_ELEMENT);
    const days = new Map<number, Candle[]>();
    for (let at = 0; at < numbers.length; at += NUMBERS_PER_ROW) {
      const [openTimeMs = NaN, open = NaN, high = NaN, low = NaN, close = NaN, volume = NaN] = numbers.subarray(
        at,
        at + NUMBERS_PER_ROW,
      );
      const dayMs = Math.floor(openTimeMs / DAY_MS) * DAY_MS;
      const day = days.get(dayMs) ?? [];
      if (day.length === 0) days.set(dayMs, day);
      day.push({ openTimeMs, open, high, low, close, volume, quoteVolume: null, trades: null, closeTimeMs: null });
    }
    for (const [dayMs, candles] of days) yield { symbol, dayMs, candles };
  }
}
