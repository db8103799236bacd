import type { Command } from 'commander';
import type { CommandRunner } from '../command.ts';
import { examples } from './examples.ts';

export function addPipelineCommands(program: Command, run: CommandRunner): void {
  addRunCommand(program, run);
  addBackfillCommand(program, run);
  run(
    program
      .command('heal')
      .description('Request again the pending candles whose next attempt is due')
      .option('--now', 'do not wait for our own next attempts (waits set by an exchange still apply)')
      .addHelpText('after', examples('candlekeep heal', 'candlekeep heal --now')),
    async () => (await import('../actions/pipeline/materialise.ts')).healNow,
  );
  run(
    program
      .command('start')
      .description(
        'Keep the data directory current and complete until stopped: candles as they close, healing every minute, ' +
          'alerts, rules, /metrics',
      )
      .addHelpText(
        'after',
        examples(
          'candlekeep start',
          'candlekeep start --json | jq .loop',
          'curl -H "Authorization: Bearer $(cat candlekeep-data/http-token)" http://127.0.0.1:4680/metrics',
        ),
      ),
    async () => (await import('../actions/pipeline/start.ts')).start,
  );
  addCheckGapsCommand(program, run);
  addRepairCommands(program, run);
}

const scoped = (command: Command): Command =>
  command
    .option('--asset <names>', 'bronze, silver, gold, or an asset name (comma list)')
    .option('--exchange <names>', 'only these exchanges (comma list)')
    .option('--symbol <symbols>', 'only these symbols: BTC/USDT, BTC-USDT or BTCUSDT (comma list)')
    .option('--interval <intervals>', '1m 5m 15m 1h 4h 1d (comma list)')
    .option('--force', 'request complete candles again, too')
    .option('--dry-run', 'show what would be requested, and request nothing');

function addRunCommand(program: Command, run: CommandRunner): void {
  run(
    scoped(program.command('run'))
      .description(
        'Fetch, clean and store the candles of one day (default: incomplete due candles of the last two days, ' +
          'and the closed candles of today)',
      )
      .option('--date <day>', 'UTC date such as 2024-06-01')
      .addHelpText(
        'after',
        examples('candlekeep run', 'candlekeep run --date 2024-06-01 --symbol BTC/USDT', 'candlekeep run --dry-run'),
      ),
    async () => (await import('../actions/pipeline/materialise.ts')).runDay,
  );
}

function addBackfillCommand(program: Command, run: CommandRunner): void {
  run(
    scoped(program.command('backfill'))
      .description(
        'Fetch, clean and store the candles of a range of days, a month at a time (1d: a year); continues where it ' +
          'was stopped',
      )
      .requiredOption('--start <day>', 'first UTC date')
      .requiredOption('--end <day>', 'last UTC date, included')
      .option(
        '--only <which>',
        'missing: incomplete days; failed: days requested and still incomplete; all: every day (--force means all, ' +
          'whatever --only says)',
        'missing',
      )
      .addHelpText(
        'after',
        examples(
          'candlekeep backfill --start 2024-01-01 --end 2024-12-31',
          'candlekeep backfill --start 2024-01-01 --end 2024-01-31 --only failed',
          'candlekeep backfill --start 2024-01-01 --end 2024-12-31 --interval 1m --dry-run',
        ),
      ),
    async () => (await import('../actions/pipeline/materialise.ts')).backfill,
  );
}

function addCheckGapsCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('check-gaps')
      .description('The account of every due candle, and each gap with its reason and next attempt')
      .option('--hours <n>', 'look back this many hours (default 24)')
      .option('--start <day>', 'first UTC date')
      .option('--end <day>', 'last UTC date, included')
      .option('--exchange <names>', 'only these exchanges (comma list)')
      .option('--symbol <symbols>', 'only these symbols (comma list)')
      .option('--interval <intervals>', '1m 5m 15m 1h 4h 1d (comma list)')
      .option('--explained', 'list gaps with a settled reason, too')
      .option(
        '--verify',
        'recount the stored candles from the Parquet files and the rest from the stored verdicts, and compare',
      )
      .option('--heal', 'first request the pending candles of the range, without waiting for our own next attempts')
      .option(
        '--accept <reason>',
        'stop waiting for gaps that the exchange confirmed and nothing explains; the reason is kept',
      )
      .addHelpText(
        'after',
        examples(
          'candlekeep check-gaps --hours 48',
          'candlekeep check-gaps --start 2024-01-01 --end 2024-01-31 --verify',
          'candlekeep check-gaps --hours 24 --heal',
          'candlekeep check-gaps --start 2024-06-01 --end 2024-06-01 --symbol BTC/USDT ' +
            "--accept 'confirmed by the exchange'",
          'candlekeep check-gaps --json | jq .totals',
        ),
      ),
    async () => (await import('../actions/pipeline/check-gaps.ts')).checkGaps,
  );
}

function addRepairCommands(program: Command, run: CommandRunner): void {
  run(
    program
      .command('repair')
      .description(
        'Rebuild state and silver from the responses in bronze, after state.db was lost or files were damaged; ' +
          'requests nothing from an exchange',
      )
      .addHelpText('after', examples('candlekeep repair', 'candlekeep repair --json')),
    async () => (await import('../actions/pipeline/repair.ts')).repairLake,
  );
  run(
    program
      .command('prune')
      .description('Remove rejected and superseded responses that no silver file needs, and old faults and runs')
      .option('--keep-days <n>', 'keep everything younger than this', '30')
      .option('--dry-run', 'show what would be removed, and remove nothing')
      .addHelpText(
        'after',
        examples('candlekeep prune --dry-run', 'candlekeep prune --keep-days 90', 'candlekeep prune --json'),
      ),
    async () => (await import('../actions/pipeline/prune.ts')).pruneLake,
  );
  run(
    program
      .command('resume')
      .description('Clear the halt left by a rejected key, so that exchanges are requested again')
      .addHelpText('after', examples('candlekeep resume', 'candlekeep resume --json')),
    async () => (await import('../actions/pipeline/resume.ts')).resume,
  );
}
