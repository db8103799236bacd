import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What one process used, all of its threads together. */
export interface Usage {
  readonly cpuMs: number;
  readonly peakBytes: number;
}

export interface Ended {
  /** Null when it was killed. */
  readonly exit: number | null;
  readonly stdout: string;
  readonly wallMs: number;
  /** Null when it was killed before it could write its usage. */
  readonly usage: Usage | null;
}

export interface Program {
  /** Script and arguments, as Node takes them. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where its output and its usage are written. */
  readonly directory: string;
  /** Prefix of its files there. */
  readonly name: string;
  readonly wallMsMax: number;
}

const USAGE = new URL('usage.ts', import.meta.url).href;

/** Runs one Node process to its end. Wall time is measured outside, CPU and memory inside the process. */
export async function runNode({ args, env = {}, directory, name, wallMsMax }: Program): Promise<Ended> {
  const usagePath = join(directory, `${name}.usage.json`);
  const messages = openSync(join(directory, `${name}.log`), 'w');
  const startedMs = performance.now();
  const child = spawn(process.execPath, ['--import', USAGE, ...args], {
    env: { ...process.env, ...env, BENCH_USAGE: usagePath },
    stdio: ['ignore', 'pipe', messages],
  });
  closeSync(messages);
  const tooLong = setTimeout(() => child.kill('SIGKILL'), wallMsMax);
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [exit] = (await once(child, 'close')) as [number | null];
  clearTimeout(tooLong);
  const wallMs = performance.now() - startedMs;
  writeFileSync(join(directory, `${name}.out`), stdout);
  return {
    exit,
    stdout,
    wallMs,
    usage: existsSync(usagePath) ? (JSON.parse(readFileSync(usagePath, 'utf8')) as Usage) : null,
  };
}
