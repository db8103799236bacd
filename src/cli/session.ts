import { realFiles } from '../platform/node/disk-files.ts';
import { freshRandom } from '../platform/node/fresh-random.ts';
import { realClock } from '../platform/node/system-clock.ts';
import type { Clock } from '../platform/ports/clock.ts';
import type { Files } from '../platform/ports/files.ts';
import type { Random } from '../platform/ports/random.ts';
import type { SecretKeeper } from '../platform/redaction.ts';
import { consoleOn, type Console, type Io } from './output/console.ts';

/** Options every command takes. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly config?: string;
  readonly dataDir?: string;
  readonly verbose?: boolean;
  readonly color?: boolean;
}

/** What every command gets. */
export interface Session {
  readonly io: Io;
  readonly screen: Console;
  readonly options: GlobalOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly files: Files;
  /** Redacts everything this process prints or logs. */
  readonly secrets: SecretKeeper;
  /** Closed after the command has printed its outcome, or when it fails. */
  readonly resources: AsyncDisposableStack;
}

export const sessionOf = (io: Io, own: Pick<Session, 'options' | 'secrets' | 'resources'>): Session => ({
  ...own,
  io,
  screen: consoleOn(io, { json: own.options.json ?? false, color: own.options.color ?? true }),
  clock: realClock,
  random: freshRandom(),
  files: realFiles,
});
