import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { Io } from '../../../src/cli/output/console.ts';
import { runProgram } from '../../../src/cli/program.ts';

/** A directory for one test. */
export function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'candlekeep-program-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Call {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly isTTY?: boolean;
  /** The command is stopped once a whole line of its standard output satisfies this. */
  readonly stopsAfter?: (line: string) => Promise<boolean>;
}

/** Runs one command line in process; none may reach a real exchange. */
export async function candlekeep(
  args: readonly string[],
  { cwd = directory(), env = {}, isTTY = false, stopsAfter = () => Promise.resolve(false) }: Call = {},
) {
  const written = { out: '', err: '' };
  let stop: Parameters<Io['onStop']>[0] = () => undefined;
  const into = (name: 'out' | 'err') => ({
    isTTY,
    write: (text: string | Uint8Array) => {
      const said = Buffer.from(text).toString('utf8');
      written[name] += said;
      if (name === 'out') void stopsAfter(said.trimEnd()).then((isEnough) => isEnough && stop('SIGTERM'));
    },
  });
  const exit = await runProgram(args, {
    cwd,
    env: { LOG_LEVEL: 'silent', CANDLEKEEP_BINANCE_URL: 'http://127.0.0.1:9', ...env },
    stdout: into('out'),
    stderr: into('err'),
    onStop: (stopHandler) => {
      stop = stopHandler;
      return () => undefined;
    },
  });
  return { exit, ...written };
}

/** The one JSON document that --json prints. */
export function documentIn(out: string): Record<string, unknown> {
  expect(out).toMatch(/^\{[^\n]*\}\n$/);
  return JSON.parse(out) as Record<string, unknown>;
}
