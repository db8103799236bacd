import { createRequire } from 'node:module';
import type * as pinoPackage from 'pino';
import type { Logger } from 'pino';
import type { Log, LogFields } from '../ports/log.ts';
import { redactNothing, type Redact } from '../ports/redact.ts';

/** Loaded with the first line that is written, in a call that cannot wait for `import()`: most commands write none. */
const loadPino = (): typeof pinoPackage => createRequire(import.meta.url)('pino') as typeof pinoPackage;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /** The least severe level that is written. */
  readonly level: LogLevel;
  /** Short lines for people instead of JSON for machines. */
  readonly pretty: boolean;
  /** Identifies the writer, beside the process id, in each JSON line. */
  readonly writer?: LogFields;
  /** Applied to each whole line: message and fields. */
  readonly redact?: Redact;
  /** Receives whole lines; standard error by default. */
  readonly sink?: { write(line: string): void };
}

/** Lines are written before the call returns, because the last lines before a crash matter most. */
export function openLog(options: LogOptions): Log {
  let logger: Logger | null = null;
  return logOn(() => (logger ??= openLogger(options)), options.level);
}

function openLogger({
  level,
  pretty,
  writer = {},
  redact = redactNothing,
  sink = standardError(),
}: LogOptions): Logger {
  const { pino, stdTimeFunctions } = loadPino();
  const options = {
    level,
    base: { pid: process.pid, ...writer },
    messageKey: 'message',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return pino(options, { write: (line) => sink.write(redact(pretty ? prettyLine(line) : line)) });
}

function standardError(): { write(line: string): void } {
  const stderr = loadPino().destination({ fd: 2, sync: true });
  stderr.on('error', () => undefined); // the reader is gone (EPIPE): a log must not fail the program
  return stderr;
}

/** The logger opens with the first line that is severe enough to be written. */
function logOn(opened: () => Logger, level: LogLevel): Log {
  const writes = (own: LogLevel): boolean => LOG_LEVELS.indexOf(own) >= LOG_LEVELS.indexOf(level);
  const method =
    (own: Exclude<LogLevel, 'silent'>): Log['info'] =>
    (message, fields) => {
      if (writes(own)) opened()[own](fields, message);
    };
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    with: (fields) => {
      let child: Logger | null = null;
      return logOn(() => (child ??= opened().child(fields)), level);
    },
  };
}

interface PinoLine {
  readonly time: string;
  readonly level: string;
  readonly message: string;
  readonly pid: number;
}

/** Fields left out of human-readable lines, because the message says them. */
const OMITTED_FOR_PEOPLE: ReadonlySet<string> = new Set([
  'host',
  'version',
  'event',
  'kind',
  'decision',
  'request',
  'nextAttemptAt',
  'retryAfterMs',
  'venueCode',
  'origin',
  'durationMs',
  'asset',
  'to',
]);

/**
 * `12:00:05 warn  binance limits our requests code=EXCHANGE_RATE_LIMITED waitMs=2000` (UTC). Values that the message
 * contains are not repeated.
 */
export function prettyLine(json: string): string {
  const { time, level, message, pid: _pid, ...fields } = JSON.parse(json) as PinoLine;
  const facts = Object.entries(fields)
    .filter(([key, value]) => !OMITTED_FOR_PEOPLE.has(key) && !mentions(message, value))
    .map(([key, value]) => ` ${key}=${plain(value)}`);
  return `${time.slice(11, 19)} ${level.padEnd(5)} ${message}${facts.join('')}\n`;
}

/** True when the message contains the value as a whole word or number. */
const mentions = (message: string, value: unknown): boolean =>
  (typeof value === 'string' || typeof value === 'number') &&
  value !== '' &&
  new RegExp(`(?<![\\w.])${RegExp.escape(String(value))}(?![\\w.]\\w)(?!\\w)`).test(message);

/** Unquoted when the value is one word, otherwise quoted. */
const plain = (value: unknown): string =>
  typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
