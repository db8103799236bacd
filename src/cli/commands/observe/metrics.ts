import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { EXIT } from '../../exit-code.ts';
import { resolveMarkets } from '../../../engine/core/symbol-resolution.ts';
import { metricsPage } from '../../../engine/monitoring/metrics-page.ts';
import { MONITORING_DEFAULTS, monitoringFiles } from '../../../metrics/monitoring-files.ts';
import { SCHEMA } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline } from '../../session.ts';
import { refuse } from '../../../configuration/setting-values.ts';

const TIME_SCALE_MAX = 3_600;

export function addMetricsCommands(program: Command, run: CommandRunner): void {
  const metrics = program
    .command('metrics')
    .description('Every metric as Prometheus reads it, for its textfile collector or a look')
    .addHelpText(
      'after',
      examples([
        'candlekeep metrics',
        'candlekeep metrics > /var/lib/node_exporter/candlekeep.prom',
        'candlekeep metrics write monitoring',
      ]),
    );
  run(metrics, async (session) => {
    const configuration = await configure(session);
    return withPipeline(session, configuration, async ({ pipeline, screen, control }) => {
      const text = await metricsPage(
        pipeline,
        await resolveMarkets(pipeline, { choices: configuration.choices, freshness: 'stored', signal: control.signal }),
      );
      if (screen.isJson) screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done, text });
      else screen.data(text.trimEnd());
      return EXIT.done;
    });
  });

  run(
    metrics
      .command('write <dir>')
      .description(
        'Write Prometheus rules with their unit tests, examples for Prometheus and Alertmanager, and a Grafana dashboard',
      )
      .option('--time-scale <n>', 'divide every time by n, to see the whole chain work within seconds', '1')
      .addHelpText(
        'after',
        examples(['candlekeep metrics write monitoring', 'candlekeep metrics write rehearsal --time-scale 60']),
      ),
    async (session, options: { readonly timeScale: string }, [dir = '']) => {
      const timeScale = Number(options.timeScale);
      if (!Number.isInteger(timeScale) || timeScale < 1 || timeScale > TIME_SCALE_MAX)
        refuse('--time-scale', `a whole number from 1 to ${TIME_SCALE_MAX}`, options.timeScale);
      const { server } = await configure(session);
      const target =
        server.listen.port === 0 ? MONITORING_DEFAULTS.target : `${server.listen.host}:${server.listen.port}`;
      const directory = resolve(session.io.cwd, dir);
      const files = monitoringFiles({ timeScale, target });
      for (const { path, text } of files) session.files.write(join(directory, path), Buffer.from(text));
      if (session.screen.isJson)
        session.screen.document({
          schema: SCHEMA,
          ok: true,
          exit: EXIT.done,
          files: files.map(({ path }) => join(directory, path)),
        });
      else session.screen.data(`wrote ${files.map(({ path }) => path).join(', ')} in ${directory}`);
      return EXIT.done;
    },
  );
}
