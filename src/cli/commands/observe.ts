import type { Command } from 'commander';
import type { CommandRunner } from '../command.ts';
import { addAlertCommands } from './alerts.ts';
import { examples } from './examples.ts';

export function addObserveCommands(program: Command, run: CommandRunner): void {
  run(
    program
      .command('status')
      .description('What is stored, what is pending, what is wrong now, and what went wrong in the last 24 hours')
      .option('--watch', 'look again every two seconds until stopped')
      .addHelpText('after', examples('candlekeep status', 'candlekeep status --json', 'candlekeep status --watch')),
    async () => (await import('../actions/observe/status.ts')).status,
  );
  addRunsCommands(program, run);
  addAlertCommands(program, run);
  addMetricsCommands(program, run);
  run(
    program
      .command('explain <what>')
      .description(
        'What a fault code or a rule means, what happened in a run, or the account of a cell; what happens next ' +
          'and what you can do',
      )
      .addHelpText(
        'after',
        examples(
          'candlekeep explain EXCHANGE_RATE_LIMITED',
          'candlekeep explain RULE_FRESHNESS',
          'candlekeep explain run_0lx2k3j4h5g6f7',
          'candlekeep explain binance/BTC-USDT/1h/2024-06-01',
          'candlekeep explain rows_missing --json',
        ),
      ),
    async () => (await import('../actions/observe/explain.ts')).explain,
  );
  run(
    program
      .command('policies')
      .description('The fault table in force: attempts, waits and consequences of every code')
      .addHelpText('after', examples('candlekeep policies', 'candlekeep policies --json')),
    async () => (await import('../actions/setup/policies.ts')).policies,
  );
}

function addRunsCommands(program: Command, run: CommandRunner): void {
  const runs = program
    .command('runs')
    .description('Past and present runs')
    .addHelpText(
      'after',
      examples(
        'candlekeep runs list',
        'candlekeep runs show run_0lx2k3j4h5g6f7',
        'candlekeep runs retry run_0lx2k3j4h5g6f7',
      ),
    );
  run(
    runs
      .command('list')
      .description('The newest runs: days, trigger, outcome')
      .option('--limit <n>', 'how many', '20')
      .addHelpText('after', examples('candlekeep runs list', 'candlekeep runs list --limit 100 --json')),
    async () => (await import('../actions/observe/runs.ts')).showRuns,
  );
  run(
    runs
      .command('show <run>')
      .description('One run with its assets and every fault it recorded')
      .addHelpText(
        'after',
        examples('candlekeep runs show run_0lx2k3j4h5g6f7', 'candlekeep runs show run_0lx2k3j4h5g6f7 --json'),
      ),
    async () => (await import('../actions/observe/runs.ts')).showRun,
  );
  run(
    runs
      .command('retry <run>')
      .description('Request the missing candles of a run, as a new run that names the old one')
      .addHelpText('after', examples('candlekeep runs retry run_0lx2k3j4h5g6f7')),
    async () => (await import('../actions/observe/retry.ts')).retry,
  );
  run(
    runs
      .command('cancel <run>')
      .description('Stop a run in any process; its complete candles are kept')
      .addHelpText('after', examples('candlekeep runs cancel run_0lx2k3j4h5g6f7')),
    async () => (await import('../actions/observe/runs.ts')).cancel,
  );
}

function addMetricsCommands(program: Command, run: CommandRunner): void {
  const metrics = program
    .command('metrics')
    .description("Print every metric in Prometheus' text format, for node_exporter's textfile collector or to read")
    .addHelpText(
      'after',
      examples(
        'candlekeep metrics',
        'candlekeep metrics > /var/lib/node_exporter/candlekeep.prom',
        'candlekeep metrics write monitoring',
      ),
    );
  run(metrics, async () => (await import('../actions/observe/metrics.ts')).showMetrics);
  run(
    metrics
      .command('write <dir>')
      .description(
        'Write Prometheus rules with their unit tests, examples for Prometheus and Alertmanager, and a Grafana ' +
          'dashboard',
      )
      .option('--time-scale <n>', 'divide every time by n, to see the whole chain work within seconds', '1')
      .addHelpText(
        'after',
        examples('candlekeep metrics write monitoring', 'candlekeep metrics write monitoring-test --time-scale 60'),
      ),
    async () => (await import('../actions/observe/metrics.ts')).writeMonitoring,
  );
}
