import type { Command } from 'commander';
import { resolve } from 'node:path';
import { writeAtomic } from '../../../platform/atomic-write.ts';
import { dayRange } from '../../../domain/partition.ts';
import { EXIT } from '../../exit-code.ts';
import { readCandles } from '../../../engine/queries/candle-reader.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { silverColumns, type SilverRow } from '../../../lake/candle-columns.ts';
import { count, table } from '../../output/console.ts';
import { isoTime } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline } from '../../session.ts';
import { readDays } from '../../work-options.ts';
import { readExchange, readInterval, readSymbol } from '../../../configuration/setting-values.ts';
import { examples } from '../../help.ts';

interface CandleOptions {
  readonly from: string;
  readonly to: string;
  readonly interval?: string;
  readonly exchange?: string;
  readonly format: string;
  readonly output?: string;
}

export const FORMATS = ['table', 'csv', 'parquet', 'json'] as const;

export function addCandlesCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('candles <symbol>')
      .description('Stored candles of one symbol')
      .requiredOption('--from <day>', 'first UTC date')
      .requiredOption('--to <day>', 'last UTC date, included')
      .option('--interval <interval>', '1m 5m 15m 1h 4h 1d (default: the first configured one)')
      .option('--exchange <name>', 'default: the first configured one')
      .option('--format <format>', FORMATS.join(', '), 'table')
      .option('--output <file>', 'write to a file instead of standard output')
      .addHelpText(
        'after',
        examples([
          'candlekeep candles BTC/USDT --from 2024-06-01 --to 2024-06-01',
          'candlekeep candles BTCUSDT --from 2024-06-01 --to 2024-06-30 --format csv > btc.csv',
          'candlekeep candles ETH/USDT --from 2024-06-01 --to 2024-06-30 --format parquet --output eth.parquet',
        ]),
      ),
    async (session, options: CandleOptions, [text = '']) => {
      const configuration = await configure(session);
      const { settings } = configuration;
      const format = session.screen.isJson ? 'json' : FORMATS.find((one) => one === options.format);
      if (format === undefined)
        throw new ConfigurationError({ where: '--format', expected: FORMATS.join(', '), got: `"${options.format}"` });
      const choice = readSymbol(text, '<symbol>');
      const { symbol } = choice;
      const exchange =
        options.exchange === undefined
          ? (choice.exchange ?? [...configuration.choices.keys()][0])
          : readExchange(options.exchange, '--exchange');
      const interval =
        options.interval === undefined ? settings.intervals[0] : readInterval(options.interval, '--interval');
      if (exchange === undefined || interval === undefined)
        throw new ConfigurationError({ where: 'exchanges', expected: 'a configured exchange', got: 'none' });
      const days = readDays(options.from, options.to, session.clock.nowMs(), ['--from', '--to']);
      return withPipeline(session, configuration, async ({ pipeline, screen, io }) => {
        const range = { fromMs: dayRange(days.start).fromMs, toMs: dayRange(days.end).toMs };
        const rows = await readCandles(pipeline, { series: { exchange, symbol, interval }, range });
        if (rows.length === 0)
          screen.say(
            `no candles of ${exchange} ${symbol} ${interval} are stored for these days; candlekeep check-gaps tells why`,
          );
        const content =
          format === 'parquet'
            ? await pipeline.ports.parquet.encode(silverColumns(rows))
            : Buffer.from(`${render(rows, format)}\n`);
        if (options.output === undefined) screen.bytes(content);
        else {
          writeAtomic(pipeline.ports.files, resolve(io.cwd, options.output), content);
          screen.say(`${count(rows.length, 'candle')} written to ${options.output}`);
        }
        return EXIT.done;
      });
    },
  );
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
      return JSON.stringify({
        schema: 1,
        items: cells.map((row) => Object.fromEntries(HEAD.map((name, at) => [name, row[at]]))),
      });
    default:
      return format satisfies never;
  }
}
