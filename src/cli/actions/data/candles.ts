import { resolve } from 'node:path';
import type { Configuration } from '../../../configuration/configuration.ts';
import { readExchange, readInterval, readSymbol } from '../../../configuration/setting-values.ts';
import type { Series } from '../../../domain/candle.ts';
import { dayRange } from '../../../domain/partition.ts';
import { readCandles } from '../../../engine/queries/candle-reader.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { silverColumns, type SilverRow } from '../../../lake/candle-columns.ts';
import { writeAtomic } from '../../../platform/atomic-write.ts';
import { FORMATS } from '../../choices.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { count, table } from '../../output/console.ts';
import { isoTime, listDocument } from '../../output/schema.ts';
import { readDays } from '../../work-options.ts';

interface CandleOptions {
  readonly from: string;
  readonly to: string;
  readonly interval?: string;
  readonly exchange?: string;
  readonly format: string;
  readonly output?: string;
}

/** The rows go to standard output or to a file, in the requested format; --json means the format json. */
export const candles: Action<CandleOptions> = async (session, options, [text = '']) => {
  const configuration = await configure(session);
  const format = session.screen.isJson ? 'json' : FORMATS.find((one) => one === options.format);
  if (format === undefined)
    throw new ConfigurationError({ where: '--format', expected: FORMATS.join(', '), got: `"${options.format}"` });
  const series = seriesOf(text, options, configuration);
  const days = readDays(options.from, options.to, session.clock.nowMs(), ['--from', '--to']);
  const { pipeline, screen, io } = await openSession(session, configuration);
  const range = { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs };
  const rows = await readCandles(pipeline, { series, range });
  if (rows.length === 0)
    screen.say(
      `no candles of ${series.exchange} ${series.symbol} ${series.interval} are stored for these days; ` +
        'candlekeep check-gaps lists the reasons',
    );
  const bytes =
    format === 'parquet'
      ? await pipeline.ports.parquet.encode(silverColumns(rows))
      : Buffer.from(`${render(rows, format)}\n`);
  if (options.output === undefined) return { exit: EXIT.done, bytes };
  writeAtomic(pipeline.ports.files, resolve(io.cwd, options.output), bytes);
  screen.say(`${count(rows.length, 'candle')} written to ${options.output}`);
  return { exit: EXIT.done, isStreamed: true };
};

/** The series that the symbol and the flags name; the first configured exchange and interval are the defaults. */
function seriesOf(text: string, options: CandleOptions, { settings, choices }: Configuration): Series {
  const choice = readSymbol(text, '<symbol>');
  const exchange =
    options.exchange === undefined
      ? (choice.exchange ?? [...choices.keys()][0])
      : readExchange(options.exchange, '--exchange');
  const interval =
    options.interval === undefined ? settings.intervals[0] : readInterval(options.interval, '--interval');
  if (exchange === undefined || interval === undefined)
    throw new ConfigurationError({ where: 'exchanges', expected: 'a configured exchange', got: 'none' });
  return { exchange, symbol: choice.symbol, interval };
}

const HEAD = [
  'timestamp',
  'exchange',
  'symbol',
  'interval',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'quote_volume',
  'trades',
] as const;

function render(rows: readonly SilverRow[], format: 'table' | 'csv' | 'json'): string {
  const cells = rows.map(
    (row) =>
      [
        isoTime(row.openTimeMs),
        row.exchange,
        row.symbol,
        row.interval,
        row.open,
        row.high,
        row.low,
        row.close,
        row.volume,
        row.quoteVolume,
        row.trades,
      ] as const,
  );
  switch (format) {
    case 'table':
      return table(
        HEAD,
        cells.map((row) => row.map((cell) => cell ?? '')),
      );
    case 'csv':
      return [HEAD.join(','), ...cells.map((row) => row.map((cell) => cell ?? '').join(','))].join('\n');
    case 'json':
      return JSON.stringify(
        listDocument(cells.map((row) => Object.fromEntries(HEAD.map((name, at) => [name, row[at]])))),
      );
    default:
      return format satisfies never;
  }
}
