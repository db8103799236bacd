import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { readDuration } from '../../src/configuration/setting-values.ts';

export interface SoakOptions {
  readonly spanMs: number;
  /** Decides the faults, the kills and the user's commands. Printed, so that a run can be repeated. */
  readonly seed: string;
  /** Mean time between two kills. Unit: milliseconds. */
  readonly killEveryMs: number;
  /** Keeps the data directories and logs. */
  readonly keep: boolean;
}

export const USAGE = 'npm run soak -- [--minutes 10] [--seed TEXT] [--kill-every 30s] [--keep]';

/** @throws TypeError for unknown flags, ConfigurationError (CONFIG_INVALID) for an invalid duration. */
export function readOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      'kill-every': { type: 'string', default: '30s' },
      keep: { type: 'boolean', default: false },
    },
  });
  return {
    spanMs: readDuration(`${values.minutes}m`, '--minutes'),
    seed: values.seed ?? randomBytes(6).toString('hex'),
    killEveryMs: readDuration(values['kill-every'], '--kill-every'),
    keep: values.keep,
  };
}
