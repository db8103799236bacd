import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import { readDuration } from '../../src/configuration/setting-values.ts';

export interface SoakOptions {
  readonly spanMs: number;
  /** Decides the faults, the kills and what the user does; printed, so that a run can be looked into. */
  readonly seed: string;
  /** Mean time between two kills. Unit: milliseconds. */
  readonly killEveryMs: number;
  /** Leaves the data directories and logs behind. */
  readonly keep: boolean;
}

export const USAGE = 'npm run soak -- [--minutes 10] [--seed TEXT] [--kill-every 30s] [--keep]';

/** @throws TypeError for flags that are none, ConfigurationError (CONFIG_INVALID) for a span that is none. */
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
