import type { Clock } from '../platform/ports/clock.ts';
import type { Files } from '../platform/ports/files.ts';
import type { Random } from '../platform/ports/random.ts';
import { freshRandom } from '../platform/node/fresh-random.ts';
import { realFiles } from '../platform/node/disk-files.ts';
import { defaultExportOf } from '../platform/node/module-file.ts';
import { realClock } from '../platform/node/system-clock.ts';
import { openLog } from '../platform/node/pino-log.ts';
import { realProcesses } from '../platform/node/process-identity.ts';
import type { SecretKeeper } from '../platform/redaction.ts';
import { drainAlerts } from '../alerting/outbox/delivery.ts';
import { CancelledError } from '../errors/classify.ts';
import type { Ending } from '../engine/core/ending.ts';
import type { ExitCode } from './exit-code.ts';
import type { Pipeline } from '../engine/core/pipeline.ts';
import { openPipeline, type OpenOptions } from '../api/open-pipeline.ts';
import { secretsOf } from '../engine/core/settings.ts';
import type { Control } from '../engine/core/work.ts';
import { loadConfiguration, type Configuration } from '../configuration/configuration.ts';
import type { OptionKey } from '../configuration/options.ts';
import { packageVersion } from './package-version.ts';
import { consoleOn, count, type Console, type Io } from './output/console.ts';
import { progressOn } from './output/progress.ts';

/** Options every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly config?: string;
  readonly dataDir?: string;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

export interface Session {
  readonly io: Io;
  readonly screen: Console;
  readonly options: GlobalOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  /** Everything this process prints or logs goes through it. */
  readonly secrets: SecretKeeper;
}

export const sessionOf = (io: Io, options: GlobalOptions, secrets: SecretKeeper): Session => ({
  io,
  options,
  secrets,
  screen: consoleOn(io, { json: options.json ?? false, color: options.color ?? true }),
  clock: realClock,
  random: freshRandom(),
  files: realFiles,
});

/** The configuration in force for this command; its warnings are said at once. */
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

/** What a command that needs the data directory works with. `stoppedBy` is filled in when the process is asked to end. */
export interface OpenSession extends Session {
  readonly pipeline: Pipeline;
  readonly control: Control;
  stoppedBy(): Ending | null;
}

/** Lines of the log stay on the terminal: written past the screen they would go with the next redraw. */
const besideLiveBlock = (screen: Console) => ({ write: (line: string): void => screen.say(line.trimEnd()) });

/** Opens the pipeline for `work` and closes it again. A first SIGINT or SIGTERM cancels, a second one ends the process at once. */
export async function withPipeline(
  session: Session,
  configuration: Configuration,
  work: (open: OpenSession) => Promise<ExitCode>,
  opening: Pick<OpenOptions, 'lostState'> = {},
): Promise<ExitCode> {
  const { io, screen, options, secrets } = session;
  const level = options.verbose ? 'debug' : configuration.logLevel;
  const pretty = io.stderr.isTTY || configuration.isDemo;
  const log = openLog({
    level,
    pretty,
    writer: { host: realProcesses().self.host, version: packageVersion() },
    redact: secrets.redact,
    ...(screen.isLive ? { sink: besideLiveBlock(screen) } : {}),
  });
  const pipeline = await openPipeline(configuration.settings, { log, redact: secrets.redact, ...opening });
  const stop = new AbortController();
  let ending: Ending | null = null;
  const release = io.onStop((signal) => {
    ending = signal === 'SIGINT' ? 'interrupted' : 'terminated';
    if (!screen.isJson) screen.say(`stopping (${signal}): what is complete is kept`);
    stop.abort(new CancelledError(signal));
  });
  try {
    return await work({
      ...session,
      pipeline,
      control: { signal: stop.signal, onProgress: progressOn(screen, session.clock) },
      stoppedBy: () => ending,
    });
  } finally {
    screen.live('');
    release();
    await pipeline.close();
  }
}

/**
 * Stays for what alerts still have to be told, ten seconds at most; the rest waits in the store for the
 * next process. Nothing that happens here changes what a command ends with.
 */
export async function reportAlerts({ pipeline, control, screen }: OpenSession): Promise<void> {
  if (control.signal.aborted) return;
  try {
    const { pending } = await drainAlerts(pipeline.dispatcher, control.signal);
    if (pending > 0 && !screen.isJson)
      screen.say(
        `${count(pending, 'alert message')} not delivered yet: they wait in the store (candlekeep alerts outbox)`,
      );
  } catch (error) {
    if (!control.signal.aborted) throw error;
  }
}
