import { openStateAccess, type StateOptions } from '../api/open-state.ts';
import { loadConfiguration, type Configuration } from '../configuration/configuration.ts';
import type { OptionKey } from '../configuration/options.ts';
import type { Ending } from '../engine/core/ending.ts';
import type { Pipeline, StateAccess } from '../engine/core/pipeline.ts';
import { secretsOf, type Settings } from '../engine/core/settings.ts';
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

/** A session whose data directory is open. */
interface Opened<T extends StateAccess> extends Session {
  readonly pipeline: T;
  readonly control: Control;
  /** How the work ends because a signal stopped it; null while no signal has arrived. */
  stoppedBy(): Ending | null;
  /** Closes the data directory before the command ends. Closing twice does nothing. */
  close(): Promise<void>;
}

/** A session for work on candles. */
export type OpenSession = Opened<Pipeline>;

/** A session that reads or changes the state alone. */
export type StateSession = Opened<StateAccess>;

/** A log line that bypassed the screen would be erased by the next redraw of the live block. */
const besideLiveBlock = (screen: Console) => ({ write: (line: string): void => screen.say(line.trimEnd()) });

/** Opens the state alone. Loads neither exchanges nor alert channels nor Parquet: such a command starts quickly. */
export const openStateSession = (session: Session, configuration: Configuration): Promise<StateSession> =>
  openWith(session, configuration, openStateAccess);

/** Opens the whole pipeline, whose modules are loaded only here. */
export async function openSession(
  session: Session,
  configuration: Configuration,
  opening: Pick<StateOptions, 'lostState'> = {},
): Promise<OpenSession> {
  const { openPipeline } = await import('../api/open-pipeline.ts');
  return openWith(session, configuration, (settings, options) => openPipeline(settings, { ...options, ...opening }));
}

/**
 * Opens the data directory until the command ends. The first SIGINT or SIGTERM cancels the work; the second ends the
 * process.
 */
async function openWith<T extends StateAccess>(
  session: Session,
  configuration: Configuration,
  open: (settings: Settings, options: Pick<StateOptions, 'log' | 'redact'>) => Promise<T>,
): Promise<Opened<T>> {
  const { io, screen, options, secrets } = session;
  const log = openLog({
    level: options.verbose ? 'debug' : configuration.logLevel,
    pretty: io.stderr.isTTY || configuration.isDemo,
    writer: { host: realProcesses().self.host, version: packageVersion() },
    redact: secrets.redact,
    ...(screen.isLive ? { sink: besideLiveBlock(screen) } : {}),
  });
  const pipeline = await open(configuration.settings, { log, redact: secrets.redact });
  const stop = new AbortController();
  let ending: Ending | null = null;
  const release = io.onStop((signal) => {
    ending = signal === 'SIGINT' ? 'interrupted' : 'terminated';
    screen.note(`stopping (${signal}): complete candles are kept`);
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
  const { drainAlerts } = await import('../alerting/outbox/delivery.ts');
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
