import { runProgram } from './program.ts';
import type { Io } from './output/console.ts';

/** Signals that ask the process to end; the second one ends it immediately. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const EXIT_OF_SIGNAL = { SIGINT: 130, SIGTERM: 143 } as const;

const io: Io = {
  cwd: process.cwd(),
  env: process.env,
  stdout: { isTTY: process.stdout.isTTY, write: (text) => void process.stdout.write(text) },
  stderr: {
    isTTY: process.stderr.isTTY,
    columns: () => process.stderr.columns ?? 0,
    write: (text) => void process.stderr.write(text),
  },
  onStop: (stop) => {
    let isStopping = false;
    const observe = (signal: (typeof SIGNALS)[number]): void => {
      if (isStopping) process.exit(EXIT_OF_SIGNAL[signal]);
      isStopping = true;
      stop(signal);
    };
    for (const signal of SIGNALS) process.on(signal, observe);
    return () => {
      for (const signal of SIGNALS) process.off(signal, observe);
    };
  },
};

// A reader that has seen enough (`| head`) closes the pipe: no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runProgram(process.argv.slice(2), io);
