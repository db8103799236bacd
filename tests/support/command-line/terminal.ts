import { spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../../src/platform/node/system-clock.ts';

/** Output and exit code of one command. */
export interface Printed {
  readonly output: string;
  readonly exit: number;
}

/** A shell on its own terminal; working directory, variables and aliases persist between commands. */
export interface Terminal {
  /** Runs a command to its end. */
  run(command: string): Promise<Printed>;
  /** Starts a long-running command; resolves with its output once `isEnough` returns true, or when it ends. */
  begin(command: string, isEnough: (output: string) => boolean): Promise<string>;
  close(): Promise<void>;
}

const END = 'candlekeep-terminal-end';
const POLL_MS = 20;

/** Reads commands from files, so that nothing is echoed and no command can read the next one. */
const LOOP = `
shopt -s expand_aliases
for ((at = 0; ; at++)); do
  until [ -e "$CONTROL/$at.sh" ]; do sleep 0.02; done
  . "$CONTROL/$at.sh" < /dev/null
  printf '\\n${END} %s\\n' "$?"
done
`;

/** Variables set by npm and test runners, and our own settings. */
const FOREIGN = new RegExp(
  [
    '^npm_(?!config_(?:cache|registry|userconfig)$)',
    '^(?:CANDLEKEEP_|HF_|VITEST)',
    '^(?:NODE_ENV|NODE_OPTIONS|FORCE_COLOR|INIT_CWD|LOG_LEVEL)$',
  ].join('|'),
);

/** The environment after a fresh login, on a terminal without colours. */
function loginEnvironment(): NodeJS.ProcessEnv {
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN.test(name)));
  const path = (own['PATH'] ?? '')
    .split(':')
    .filter((folder) => !folder.endsWith('node_modules/.bin'))
    .join(':');
  return { ...own, PATH: path, TERM: 'dumb', LC_ALL: 'C.UTF-8' };
}

/** Opens a shell in `cwd`, under `script`, which gives it a terminal. */
export function openTerminal(cwd: string): Terminal {
  const control = mkdtempSync(join(tmpdir(), 'candlekeep-terminal-'));
  writeFileSync(join(control, 'loop.sh'), LOOP);
  const child = spawn(
    'script',
    [
      '--quiet',
      '--return',
      '--flush',
      '--command',
      `exec bash --noprofile --norc ${join(control, 'loop.sh')}`,
      '/dev/null',
    ],
    {
      cwd,
      env: { ...loginEnvironment(), CONTROL: control },
      stdio: ['pipe', 'pipe', 'ignore'],
    },
  );
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const written: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => written.push(text.replaceAll('\r', '')));
  let commands = 0;
  const give = (command: string): void => {
    written.length = 0;
    writeFileSync(join(control, 'next'), `${command}\n`);
    renameSync(join(control, 'next'), join(control, `${commands++}.sh`));
  };
  const printed = (): Printed | null => {
    const [, output, exit] = new RegExp(`^(.*)\n${END} (\\d+)\n$`, 's').exec(written.join('')) ?? [];
    return output === undefined ? null : { output, exit: Number(exit) };
  };
  const until = async <T>(what: () => T | null): Promise<T> => {
    for (;;) {
      const found = what();
      if (found !== null) return found;
      if (child.exitCode !== null) throw new Error(`the terminal has closed: ${written.join('')}`);
      await realClock.sleep(POLL_MS);
    }
  };
  return {
    run: (command) => {
      give(command);
      return until(printed);
    },
    begin: (command, isEnough) => {
      give(command);
      return until(() => printed()?.output ?? (isEnough(written.join('')) ? written.join('') : null));
    },
    close: async () => {
      child.kill('SIGTERM'); // `script` passes it on, and closing the terminal ends its processes
      await ended;
      rmSync(control, { recursive: true, force: true });
    },
  };
}
