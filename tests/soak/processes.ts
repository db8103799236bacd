import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realClock } from '../../src/platform/node/system-clock.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** One data directory and what speaks to it. */
export interface Place {
  readonly name: string;
  readonly dataDir: string;
  /** Where logs of processes go. */
  readonly logDir: string;
  readonly env: Readonly<Record<string, string>>;
}

/** How a process ended. */
export interface Ended {
  /** Null for one that a signal ended. */
  readonly exit: number | null;
  readonly stdout: string;
}

export interface OwnProcess {
  readonly args: readonly string[];
  readonly startedAtMs: number;
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Signals that we sent it. */
  readonly signals: NodeJS.Signals[];
}

/** Something no process of ours may say or do. */
export interface Complaint {
  readonly where: string;
  readonly text: string;
}

/**
 * What Node prints when nobody caught an error or a promise, its warnings (a leak of listeners is one), our own defects,
 * and lines of a stack. Node's word that a module of its own is experimental is none of ours.
 */
const UNWANTED =
  /Unhandled|Uncaught|triggerUncaughtException|"?DEFECT|^Node\.js v\d|^\(node:\d+\) (?!ExperimentalWarning)|^\s+at .+:\d+:\d+\)?$|FATAL ERROR/;
/** No process may end like this, whatever befell it: a defect, a refused configuration or state. */
const EXITS_UNWANTED: readonly number[] = [1, 2];
const OUTPUT_CHARS_MAX = 5_000_000;

/** Starts processes of ours and listens to everything they say. */
export interface Processes {
  start(place: Place, args: readonly string[]): OwnProcess;
  signal(process: OwnProcess, signal: NodeJS.Signals): void;
  /** Runs a command to its end. */
  run(place: Place, args: readonly string[]): Promise<Ended>;
  /** Everything that still runs. */
  killAll(): void;
  readonly complaints: readonly Complaint[];
  started(): number;
}

/** With gigabytes of room, and a young generation of a hundred megabytes, V8 collects so seldom that ten minutes show its saw and nothing else. */
const DAEMON_FLAGS = ['--max-old-space-size=192', '--max-semi-space-size=8'];

export function ownProcesses(): Processes {
  const complaints: Complaint[] = [];
  const running = new Set<ChildProcess>();
  let started = 0;
  const start = (place: Place, args: readonly string[]): OwnProcess => {
    started += 1;
    const where = `${place.name}: ${args.join(' ')}`;
    const env = {
      ...process.env,
      ...place.env,
      CANDLEKEEP_DATA_DIR: place.dataDir,
      CANDLEKEEP_LISTEN: '127.0.0.1:0',
      LOG_LEVEL: 'warn',
    };
    const child = spawn(process.execPath, [...(args[0] === 'start' ? DAEMON_FLAGS : []), MAIN, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    mkdirSync(place.logDir, { recursive: true });
    const log = createWriteStream(join(place.logDir, `${String(started).padStart(4, '0')}-${args[0]}.log`));
    log.write(`${new Date(realClock.nowMs()).toISOString()} ${where} (pid ${child.pid})\n`);
    child.stderr.setEncoding('utf8').on(
      'data',
      lineReader((line) => {
        log.write(`${line}\n`);
        if (UNWANTED.test(line)) complaints.push({ where, text: line });
      }),
    );
    const chunks: string[] = [];
    let chars = 0;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if ((chars += text.length) < OUTPUT_CHARS_MAX) chunks.push(text);
      log.write(text);
      if (text.includes('"DEFECT"')) complaints.push({ where, text: text.slice(0, 500) });
    });
    const signals: NodeJS.Signals[] = [];
    const ended = new Promise<Ended>((resolve) =>
      child.on('close', (exit, by) => {
        running.delete(child);
        log.end(`${new Date(realClock.nowMs()).toISOString()} exit ${exit ?? by}\n`);
        if (by !== null && !signals.includes(by)) complaints.push({ where, text: `ended by ${by}, which nobody sent` });
        if (exit !== null && EXITS_UNWANTED.includes(exit)) complaints.push({ where, text: `exit ${exit}` });
        resolve({ exit, stdout: chunks.join('') });
      }),
    );
    return { args, startedAtMs: realClock.nowMs(), child, ended, signals };
  };
  return {
    start,
    run: (place, args) => start(place, args).ended,
    signal: (own, signal) => {
      own.signals.push(signal);
      own.child.kill(signal);
    },
    killAll: () => running.forEach((child) => child.kill('SIGKILL')),
    complaints,
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

/** The one document of a command with --json; null where there is none because the process was killed. */
export const documentOf = ({ stdout }: Ended): Record<string, unknown> | null =>
  stdout.trim() === '' ? null : (JSON.parse(stdout) as Record<string, unknown>);
