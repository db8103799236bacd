import type { Configuration } from '../../../configuration/configuration.ts';
import { resolveMarkets, type Markets } from '../../../engine/core/symbol-resolution.ts';
import { runDaemon, type Tick } from '../../../engine/daemon/daemon.ts';
import { metricsPage } from '../../../engine/monitoring/metrics-page.ts';
import { isHealthy } from '../../../engine/monitoring/watch.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { writePrivate } from '../../../platform/node/disk-files.ts';
import { freshSecret } from '../../../platform/node/fresh-random.ts';
import { serveHttp } from '../../../platform/node/http-server.ts';
import type { HttpServer } from '../../../platform/ports/http-server.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession, type OpenSession } from '../../open-session.ts';
import { count, type Output } from '../../output/console.ts';
import { workDocument } from '../../output/documents.ts';
import { isoTime } from '../../output/schema.ts';
import { serve } from '../../server.ts';

export const start: Action = async (session) => {
  const configuration = await configure(session);
  const open = await openSession(session, configuration);
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
        onTick: (tick) => screen.print(tickOutput(tick)),
      },
      control,
    );
  } finally {
    await (server as HttpServer | null)?.close();
  }
  const exit = EXIT[stoppedBy() ?? 'done'];
  return { exit, document: { type: 'result', ok: true, exit } };
};

/** The names of this machine that no other machine can take. */
const LOOPBACK_NAMES = ['127.0.0.1', '::1', 'localhost'];

/**
 * Serves /healthz and /metrics and prints the address.
 * @throws ConfigurationError (CONFIG_INVALID) if it cannot listen there.
 */
async function listen(
  open: OpenSession,
  { server }: Configuration,
  watched: () => Promise<Markets>,
): Promise<HttpServer> {
  const { pipeline, screen } = open;
  const { lake, ports } = pipeline;
  const site = {
    token: tokenOf(open, server.token),
    isMetricsOpen: server.isMetricsOpen,
    hostNames: LOOPBACK_NAMES.includes(server.listen.host) ? LOOPBACK_NAMES : null,
    isHealthy: () => isHealthy(pipeline),
    metrics: async () => metricsPage(pipeline, await watched()),
  };
  const onError = (error: unknown): void =>
    ports.log.error(`an HTTP request failed: ${Error.isError(error) ? error.message : String(error)}`);
  try {
    const listening = await serveHttp(server.listen, { handle: (request) => serve(site, request), onError });
    const tokenFile = server.token === null ? lake.token : null;
    const token = tokenFile === null ? '' : ` (token in ${tokenFile})`;
    screen.print({
      document: { type: 'listening', url: listening.url, token_file: tokenFile },
      note:
        `maintaining ${lake.root}; ${listening.url}/metrics${token}; Ctrl-C or SIGTERM stops it, and the next start ` +
        'continues from there',
    });
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

/** The configured bearer token, or the one in the data directory, which is created at the first start. */
function tokenOf({ pipeline: { lake, ports }, secrets }: OpenSession, configured: string | null): string {
  if (configured === null && !ports.files.exists(lake.token)) writePrivate(lake.token, freshSecret());
  const token = configured ?? Buffer.from(ports.files.read(lake.token)).toString('utf8').trim();
  secrets.keep([token]);
  return token;
}

/** A tick without work prints a document for scripts and nothing for a person. */
function tickOutput({ loop, startedAtMs, result }: Tick): Output {
  const rows = result.runs
    .flatMap((one) => one.assets.filter(({ asset }) => asset.startsWith('bronze')))
    .reduce((sum, asset) => sum + asset.output_rows, 0);
  const isIdle = result.runs.length === 0 || (rows === 0 && result.ending === 'done');
  const outcome = result.runs.map((one) => one.outcome).join(', ');
  const error = result.error === null ? '' : `  ${result.error.code}: ${result.error.message}`;
  const amounts = `${count(rows, 'row')}, ${count(result.pending, 'candle')} pending`;
  return {
    document: { type: 'turn', loop, started_at: isoTime(startedAtMs), ...workDocument(result, null) },
    note: isIdle ? '' : `${isoTime(startedAtMs)}  ${loop}  ${outcome}  ${amounts}${error}`,
  };
}
