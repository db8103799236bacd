import { styleText } from 'node:util';
import type { Redact } from '../../platform/ports/redact.ts';

/** The process as commands see it: they never touch `process` themselves. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Calls `stop` once, at the first signal that asks the process to end; returns the function that unsubscribes. */
  onStop(stop: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
}

export interface OutputStream {
  readonly isTTY: boolean;
  /** Columns of the terminal now; 0 if unknown. */
  columns?(): number;
  write(text: string | Uint8Array): void;
}

/** The same process, with every text redacted before it is written. */
export function redactedIo(io: Io, redact: Redact): Io {
  const redacted = (stream: OutputStream): OutputStream => ({
    ...stream,
    write: (text) => stream.write(typeof text === 'string' ? redact(text) : text),
  });
  return { ...io, stdout: redacted(io.stdout), stderr: redacted(io.stderr) };
}

/** A long document is written in pieces of this size. Unit: characters. */
const PIECE_CHARS = 65_536;

const COLOURING = new RegExp(String.raw`\u001B\[\d+m`, 'g');

export type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

/** What a command prints: a document with --json, else text for a person. */
export interface Output {
  /** A function returns the JSON in parts: for a document too long to build in one piece. */
  readonly document: object | (() => Iterable<string>);
  /** For standard output. A function is not called with --json; an empty text prints nothing. */
  readonly text?: string | (() => string);
  /** For standard error. */
  readonly note?: string | (() => string);
}

/** Data goes to stdout, everything else to stderr. */
export interface Console {
  readonly isJson: boolean;
  readonly isLive: boolean;
  print(output: Output): void;
  bytes(bytes: Uint8Array): void;
  /** On standard output, for a person: nothing with --json. */
  text(text: string): void;
  /** On standard error, for a person: nothing with --json. */
  note(text: string): void;
  /** On standard error, with --json too. */
  say(text: string): void;
  /** Replaces the previous live block; an empty text removes it. Only on a terminal. */
  live(text: string): void;
  colour(colour: Colour, text: string): string;
}

export function consoleOn(io: Io, options: { readonly json: boolean; readonly color: boolean }): Console {
  const isWanted = options.color && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
  /** Text is coloured before its stream is known: a stream that is no terminal gets it without colours. */
  const write = (stream: OutputStream, text: string): void =>
    stream.write(isWanted && stream.isTTY ? text : text.replaceAll(COLOURING, ''));
  let liveLines = 0;
  const clear = (): void => {
    if (liveLines > 0) io.stderr.write(`\u001B[${liveLines}A\u001B[0J`);
    liveLines = 0;
  };
  const isJson = options.json;
  const say = (text: string): void => {
    clear();
    write(io.stderr, `${text}\n`);
  };
  const text = (line: string): void => {
    if (isJson || line === '') return;
    clear();
    write(io.stdout, `${line}\n`);
  };
  const note = (line: string): void => {
    if (!isJson && line !== '') say(line);
  };
  return {
    isJson,
    isLive: io.stderr.isTTY && !isJson && io.env['TERM'] !== 'dumb',
    print: (output) => {
      if (isJson) writeDocument(io.stdout, output.document);
      else {
        text(textOf(output.text));
        note(textOf(output.note));
      }
    },
    bytes: (bytes) => io.stdout.write(bytes),
    text,
    note,
    say,
    live: (block) => {
      clear();
      if (block === '') return;
      const columns = io.stderr.columns?.() || Infinity;
      // A wrapped line could not be cleared again.
      const lines = block.split('\n').map((line) => line.slice(0, columns));
      io.stderr.write(`${lines.join('\n')}\n`);
      liveLines = lines.length;
    },
    colour: (colour, line) => (isWanted ? styleText(colour, line, { validateStream: false }) : line),
  };
}

const textOf = (text: string | (() => string) = ''): string => (typeof text === 'function' ? text() : text);

function writeDocument(stdout: OutputStream, document: Output['document']): void {
  if (typeof document !== 'function') {
    stdout.write(`${JSON.stringify(document)}\n`);
    return;
  }
  let text = '';
  for (const part of (document as () => Iterable<string>)()) {
    text += part;
    if (text.length < PIECE_CHARS) continue;
    stdout.write(text);
    text = '';
  }
  stdout.write(`${text}\n`);
}

/** Columns padded to their widest cell; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((row) => String(row[at] ?? '').length)));
  const line = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, at) =>
        typeof cell === 'number' ? String(cell).padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}

/** Digits in groups of three. Not `toLocaleString`: its first call builds tables for 30 ms. */
export const grouped = (amount: number): string => String(amount).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');

export const count = (amount: number, noun: string): string => `${grouped(amount)} ${noun}${amount === 1 ? '' : 's'}`;
