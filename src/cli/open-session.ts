import { drainAlerts } from '../alerting/outbox/delivery.ts';
import { openPipeline, type OpenOptions } from '../api/open-pipeline.ts';
import { loadConfiguration, type Configuration } from '../configuration/configuration.ts';
import type { OptionKey } from '../configuration/options.ts';
import type { Ending } from '../engine/core/ending.ts';
import type { Pipeline } from '../engine/core/pipeline.ts';
import { secretsOf } from '../engine/core/settings.ts';
import type { Control } from '../engine/core/work.ts';
import { CancelledError } from '../errors/classify.ts';
import { defaultExportOf } from '../platform/node/module-file.ts';
import { openLog } from '../platform/node/pino-log.ts';
import { realProcesses } from '../platform/node/process-identity.ts';
import { count, type Console } from './output/console.ts';
import { progressOn } from './output/progress.ts';
import { packageVersion } from './package-version.ts';
import type { Session } from './session.ts';

/** The configuration in force for this command. Its warnings are printed. */
export async function configure(
  { io, options, screen, secrets, files }: Session,
  flags: Partial<Record<OptionKey, string>> = {},
): Promise<Configuration> {
  const configuration = await loadConfiguration({
    cwd: io.cwd,
    env: io.env,
    file: options.config ?? null,
    files,
    defaultExportOf,
    flags: { ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }), ...flags },
  });
  secrets.keep([
    ...secretsOf(configuration.settings),
    ...(configuration.server.token === null ? [] : [configuration.server.token]),
  ]);
  for (const warning of configuration.warnings) screen.say(`warning: ${warning}`);
  return configuration;
}

/** A session with an open data directory. */
export interface OpenSession extends Session {
  readonly pipeline: Pipeline;
  readonly control: Control;
  /** How the work ends because a signal stopped it; null while no signal has arrived. */
  stoppedBy(): Ending | null;
  /** Closes the data directory before the command ends. Closing twice does nothing. */
  close(): Promise<void>;
}

/** A log line that bypassed the screen would be erased by the next redraw of the live block. */
const besideLiveBlock = (screen: Console) => ({ write: (line: string): void => screen.say(line.trimEnd()) });

/**
 * Opens the data directory until the command ends. The first SIGINT or SIGTERM cancels the work; the second ends the
 * process.
 */
export async function openSession(
  session: Session,
  configuration: Configuration,
  opening: Pick<OpenOptions, 'lostState'> = {},
): Promise<OpenSession> {
  const { io, screen, options, secrets } = session;
  const log = openLog({
    level: options.verbose ? 'debug' : configuration.logLevel,
    pretty: io.stderr.isTTY || configuration.isDemo,
    writer: { host: realProcesses().self.host, version: packageVersion() },
    redact: secrets.redact,
    ...(screen.isLive ? { sink: besideLiveBlock(screen) } : {}),
  });
  const pipeline = await openPipeline(configuration.settings, { log, redact: secrets.redact, ...opening });
  const stop = new AbortController();
  let ending: Ending | null = null;
  const release = io.onStop((signal) => {
    ending = signal === 'SIGINT' ? 'interrupted' : 'terminated';
    screen.note(`stopping (${signal}): what is complete is kept`);
    stop.abort(new CancelledError(signal));
  });
  const opened = session.resources.use(new AsyncDisposableStack());
  opened.defer(() => pipeline.close());
  opened.defer(release);
  opened.defer(() => screen.live(''));
  return {
    ...session,
    pipeline,
    control: { signal: stop.signal, onProgress: progressOn(screen, session.clock) },
    stoppedBy: () => ending,
    close: () => opened.disposeAsync(),
  };
}

/**
 * Waits until pending alerts are delivered, ten seconds at most; the rest stays in the store for the next process. The
 * exit code does not depend on it.
 */
export async function deliverAlerts({ pipeline, control, screen }: OpenSession): Promise<void> {
  if (control.signal.aborted) return;
  try {
    const { pending } = await drainAlerts(pipeline.dispatcher, control.signal);
    if (pending > 0)
      screen.note(
        `${count(pending, 'alert message')} not delivered yet: they wait in the store (candlekeep alerts outbox)`,
      );
  } catch (error) {
    if (!control.signal.aborted) throw error;
  }
}
