import type { Command } from 'commander';
import { realFiles, writePrivate } from '../../../platform/node/disk-files.ts';
import { serveHttp } from '../../../platform/node/http-server.ts';
import type { HttpServer } from '../../../platform/ports/http-server.ts';
import { freshSecret } from '../../../platform/node/fresh-random.ts';
import { runDaemon, type Tick } from '../../../engine/daemon/daemon.ts';
import { EXIT } from '../../exit-code.ts';
import { resolveMarkets, type Markets } from '../../../engine/core/symbol-resolution.ts';
import { metricsPage } from '../../../engine/monitoring/metrics-page.ts';
import { isHealthy } from '../../../engine/monitoring/watch.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import type { Configuration } from '../../../configuration/configuration.ts';
import { count, type Console } from '../../output/console.ts';
import { isoTime, workDocument } from '../../output/documents.ts';
import { examples } from '../../help.ts';
import type { CommandRunner } from '../../program.ts';
import { serve } from '../../server.ts';
import { configure, withPipeline, type OpenSession } from '../../session.ts';

export function addStartCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('start')
      .description(
        'Keep the data directory fresh and whole until stopped: candles when they have closed, healing every minute, alerts, rules, /metrics',
      )
      .addHelpText(
        'after',
        examples([
          'candlekeep start',
          'candlekeep start --json | jq .loop',
          'curl -H "Authorization: Bearer $(cat candlekeep-data/http-token)" http://127.0.0.1:4680/metrics',
        ]),
      ),
    async (session) => {
      const configuration = await configure(session);
      return withPipeline(session, configuration, async (open) => {
        const { pipeline, screen, control, stoppedBy } = open;
        const resolved = (freshness: 'daily' | 'stored', signal: AbortSignal): Promise<Markets> =>
          resolveMarkets(pipeline, { choices: configuration.choices, freshness, signal });
        const watched = (): Promise<Markets> => resolved('stored', control.signal);
        let server: HttpServer | null = null;
        try {
          await runDaemon(
            pipeline,
            {
              intervals: configuration.settings.intervals,
              markets: (signal) => resolved('daily', signal),
              watched,
              onStarted: async () => {
                server = await listen(open, configuration, watched);
              },
              onTick: (turn) => tell(screen, turn),
            },
            control,
          );
        } finally {
          await (server as HttpServer | null)?.close();
        }
        if (screen.isJson) screen.document({ type: 'result', ok: true, exit: EXIT[stoppedBy() ?? 'done'] });
        return EXIT[stoppedBy() ?? 'done'];
      });
    },
  );
}

/** Every name of this machine that nobody else can take. */
const LOOPBACK_NAMES = ['127.0.0.1', '::1', 'localhost'];

/** Serves /healthz and /metrics and says where. @throws ConfigurationError (CONFIG_INVALID) when the address cannot be had. */
async function listen(
  { pipeline, screen, secrets }: OpenSession,
  { server }: Configuration,
  watched: () => Promise<Markets>,
): Promise<HttpServer> {
  const { lake, ports } = pipeline;
  if (server.token === null && !realFiles.exists(lake.token)) writePrivate(lake.token, freshSecret());
  const token = server.token ?? Buffer.from(realFiles.read(lake.token)).toString('utf8').trim();
  secrets.keep([token]);
  const site = {
    token,
    isMetricsOpen: server.isMetricsOpen,
    hostNames: LOOPBACK_NAMES.includes(server.listen.host) ? LOOPBACK_NAMES : null,
    isHealthy: () => isHealthy(pipeline),
    metrics: async () => metricsPage(pipeline, await watched()),
  };
  const onError = (error: unknown): void =>
    ports.log.error(`a request was not answered: ${Error.isError(error) ? error.message : String(error)}`);
  try {
    const listening = await serveHttp(server.listen, { handle: (request) => serve(site, request), onError });
    const tokenFile = server.token === null ? lake.token : null;
    if (screen.isJson) screen.document({ type: 'listening', url: listening.url, token_file: tokenFile });
    else
      screen.say(
        `keeping ${lake.root}; ${listening.url}/metrics${tokenFile === null ? '' : ` (token in ${tokenFile})`}; Ctrl-C or SIGTERM stops it, and the next start goes on from there`,
      );
    return listening;
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== 'listen' && syscall !== 'getaddrinfo') throw error;
    throw new ConfigurationError(
      {
        where: 'CANDLEKEEP_LISTEN',
        expected: 'an address this process may listen on',
        got: `${server.listen.host}:${server.listen.port} (${code ?? 'refused'})`,
      },
      { cause: error },
    );
  }
}

/** A turn that found nothing to do is not worth a line, except for scripts. */
function tell(screen: Console, { loop, startedAtMs, result }: Tick): void {
  if (screen.isJson) {
    screen.document({ type: 'turn', loop, started_at: isoTime(startedAtMs), ...workDocument(result, null) });
    return;
  }
  const rows = result.runs
    .flatMap((one) => one.assets.filter(({ asset }) => asset.startsWith('bronze')))
    .reduce((sum, asset) => sum + asset.output_rows, 0);
  if (result.runs.length === 0 || (rows === 0 && result.ending === 'done')) return;
  const outcome = result.runs.map((one) => one.outcome).join(', ');
  screen.say(
    `${isoTime(startedAtMs)}  ${loop}  ${outcome}  ${count(rows, 'row')}, ${count(result.pending, 'candle')} pending${result.error === null ? '' : `  ${result.error.code}: ${result.error.message}`}`,
  );
}
