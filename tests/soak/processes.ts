import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../src/platform/node/system-clock.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** One data directory and the environment of its processes. */
export interface Site {
  readonly name: string;
  readonly dataDir: string;
  /** Holds the logs of the processes. */
  readonly logDir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface Ended {
  /** Null when a signal ended the process. */
  readonly exit: number | null;
  readonly stdout: string;
}

export interface OwnProcess {
  readonly args: readonly string[];
  readonly startedAtMs: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Signals that the soak sent to it. */
  readonly signals: NodeJS.Signals[];
}

/** Output or an exit that no process may produce. */
export interface Violation {
  readonly where: string;
  readonly text: string;
}

/**
 * Uncaught errors and rejections, Node's warnings (a listener leak is one), defects, and lines of a stack. The warning
 * about experimental modules is allowed.
 */
const UNWANTED = new RegExp(
  [
    'Unhandled',
    'Uncaught',
    'triggerUncaughtException',
    '"?DEFECT',
    String.raw`^Node\.js v\d`,
    String.raw`^\(node:\d+\) (?!ExperimentalWarning)`,
    String.raw`^\s+at .+:\d+:\d+\)?$`,
    'FATAL ERROR',
  ].join('|'),
);
/** No process may end with these, whatever the faults: a defect, a rejected configuration or state. */
const EXITS_UNWANTED: readonly number[] = [1, 2];
const OUTPUT_CHARS_MAX = 5_000_000;

/** Starts processes of the program and checks everything that they print. */
export interface Processes {
  start(site: Site, args: readonly string[]): OwnProcess;
  signal(process: OwnProcess, signal: NodeJS.Signals): void;
  /** Runs a command to its end. */
  run(site: Site, args: readonly string[]): Promise<Ended>;
  /** Kills every process that still runs. */
  killAll(): void;
  readonly violations: readonly Violation[];
  started(): number;
}

/** With a large heap V8 collects so rarely that ten minutes cannot show growth: only its sawtooth would be measured. */
const DAEMON_FLAGS = ['--max-old-space-size=192', '--max-semi-space-size=8'];

export function ownProcesses(): Processes {
  const violations: Violation[] = [];
  const running = new Set<ChildProcess>();
  let started = 0;
  const start = (site: Site, args: readonly string[]): OwnProcess => {
    started += 1;
    const where = `${site.name}: ${args.join(' ')}`;
    const env = {
      ...process.env,
      ...site.env,
      CANDLEKEEP_DATA_DIR: site.dataDir,
      CANDLEKEEP_LISTEN: '127.0.0.1:0',
      LOG_LEVEL: 'warn',
    };
    const child = spawn(process.execPath, [...(args[0] === 'start' ? DAEMON_FLAGS : []), MAIN, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    mkdirSync(site.logDir, { recursive: true });
    const log = createWriteStream(join(site.logDir, `${String(started).padStart(4, '0')}-${args[0]}.log`));
    log.write(`${new Date(realClock.nowMs()).toISOString()} ${where} (pid ${child.pid})\n`);
    child.stderr.setEncoding('utf8').on(
      'data',
      lineReader((line) => {
        log.write(`${line}\n`);
        if (UNWANTED.test(line)) violations.push({ where, text: line });
      }),
    );
    const chunks: string[] = [];
    let chars = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if ((chars += text.length) < OUTPUT_CHARS_MAX) chunks.push(text);
      log.write(text);
      if (text.includes('"DEFECT"')) violations.push({ where, text: text.slice(0, 500) });
    });
    const signals: NodeJS.Signals[] = [];
    const ended = new Promise<Ended>((resolve) =>
      child.on('close', (exit, by) => {
        running.delete(child);
        log.end(`${new Date(realClock.nowMs()).toISOString()} exit ${exit ?? by}\n`);
        if (by !== null && !signals.includes(by))
          violations.push({ where, text: `ended by ${by}, which the soak did not send` });
        if (exit !== null && EXITS_UNWANTED.includes(exit)) violations.push({ where, text: `exit ${exit}` });
        resolve({ exit, stdout: chunks.join('') });
      }),
    );
    return { args, startedAtMs: realClock.nowMs(), child, ended, signals };
  };
  return {
    start,
    run: (site, args) => start(site, args).ended,
    signal: (own, signal) => {
      own.signals.push(signal);
      own.child.kill(signal);
    },
    killAll: () => running.forEach((child) => child.kill('SIGKILL')),
    violations,
    started: () => started,
  };
}

/** Calls back for each whole line. */
function lineReader(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}

/** The document of a command with --json; null when the process was killed before it printed one. */
export const documentOf = ({ stdout }: Ended): Record<string, unknown> | null =>
  stdout.trim() === '' ? null : (JSON.parse(stdout) as Record<string, unknown>);
