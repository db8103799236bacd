import { styleText } from 'node:util';
import type { Redact } from '../../platform/ports/redact.ts';

/** What a command gets of the outside: no command touches `process`. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Tells `stop` once when somebody asks the process to end; returns what takes that back. */
  onStop(stop: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
}

export interface OutputStream {
  readonly isTTY: boolean;
  /** How many characters fit into a line of the terminal now; 0 where that is not known. */
  columns?(): number;
  write(text: string | Uint8Array): void;
}

/** The same outside, to which no text goes before it went through `scrub`. */
export function redactedIo(io: Io, redact: Redact): Io {
  const scrubbed = (stream: OutputStream): OutputStream => ({
    ...stream,
    write: (text) => stream.write(typeof text === 'string' ? redact(text) : text),
  });
  return { ...io, stdout: scrubbed(io.stdout), stderr: scrubbed(io.stderr) };
}

/** Of a long document. Unit: characters. */
const WRITTEN_AT_ONCE = 65_536;

const COLOURING = new RegExp(String.raw`\u001B\[\d+m`, 'g');

export type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

/** Data goes to stdout, everything else to stderr. */
export interface Console {
  readonly isJson: boolean;
  readonly isLive: boolean;
  data(text: string): void;
  bytes(bytes: Uint8Array): void;
  document(value: object): void;
  /** The same, of a document that is too long to be made at once. */
  documentOf(parts: Iterable<string>): void;
  say(text: string): void;
  /** Replaces what the last `live` wrote; an empty text removes it. Only on a terminal. */
  live(text: string): void;
  colour(colour: Colour, text: string): string;
}

export function consoleOn(io: Io, options: { readonly json: boolean; readonly color: boolean }): Console {
  const isWanted = options.color && !io.env['NO_COLOR'] && io.env['TERM'] !== 'dumb';
  /** Whoever colours a text does not know where it goes: a stream that is no terminal takes it without. */
  const write = (stream: OutputStream, text: string): void =>
    stream.write(isWanted && stream.isTTY ? text : text.replaceAll(COLOURING, ''));
  let liveLines = 0;
  const clear = (): void => {
    if (liveLines > 0) io.stderr.write(`\u001B[${liveLines}A\u001B[0J`);
    liveLines = 0;
  };
  return {
    isJson: options.json,
    isLive: io.stderr.isTTY && !options.json && io.env['TERM'] !== 'dumb',
    data: (text) => {
      clear();
      write(io.stdout, `${text}\n`);
    },
    bytes: (bytes) => io.stdout.write(bytes),
    document: (value) => io.stdout.write(`${JSON.stringify(value)}\n`),
    documentOf: (parts) => {
      let text = '';
      for (const part of parts) {
        text += part;
        if (text.length < WRITTEN_AT_ONCE) continue;
        io.stdout.write(text);
        text = '';
      }
      io.stdout.write(`${text}\n`);
    },
    say: (text) => {
      clear();
      write(io.stderr, `${text}\n`);
    },
    live: (text) => {
      clear();
      if (text === '') return;
      const columns = io.stderr.columns?.() || Infinity;
      const lines = text.split('\n').map((line) => line.slice(0, columns)); // a wrapped line could not be cleared again
      io.stderr.write(`${lines.join('\n')}\n`);
      liveLines = lines.length;
    },
    colour: (colour, text) => (isWanted ? styleText(colour, text, { validateStream: false }) : text),
  };
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

export const grouped = (amount: number): string => amount.toLocaleString('en-US');

export const count = (amount: number, noun: string): string => `${grouped(amount)} ${noun}${amount === 1 ? '' : 's'}`;
