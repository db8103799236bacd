import type { ExitCode } from './exit-code.ts';
import type { Io } from './output/console.ts';
import { packageVersion } from './package-version.ts';

/** Runs one command line and returns the exit code. `--version` alone needs nothing but package.json. */
export async function runProgram(args: readonly string[], io: Io): Promise<ExitCode> {
  const [first = ''] = args;
  if (first === '--version' || first === '-V') {
    io.stdout.write(`${packageVersion()}\n`);
    return 0;
  }
  const { runCommandLine } = await import('./command-line.ts');
  return runCommandLine(args, io);
}
