import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { runProgram } from '../src/surface/program.ts';

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
}

/** Runs one command line in process; none may reach a real exchange. */
export async function candlekeep(args: readonly string[], { cwd = directory(), env = {}, isTTY = false }: Call = {}) {
  const written = { out: '', err: '' };
  const into = (name: 'out' | 'err') => ({ isTTY, write: (text: string | Uint8Array) => void (written[name] += Buffer.from(text).toString('utf8')) });
  const exit = await runProgram(args, {
    cwd, env: { LOG_LEVEL: 'silent', CANDLEKEEP_BINANCE_URL: 'http://127.0.0.1:9', ...env }, stdout: into('out'), stderr: into('err'), onStop: () => () => undefined,
  });
  return { exit, ...written };
}

/** The one JSON document that --json prints. */
export function documentIn(out: string): Record<string, unknown> {
  expect(out).toMatch(/^\{[^\n]*\}\n$/);
  return JSON.parse(out) as Record<string, unknown>;
}
