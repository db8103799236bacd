import { BACKOFFS, type Backoff } from './schedule.ts';

/**
 * Every way to fail, once. Classification, retry, consequence, alert level, documentation and
 * `candlekeep explain` read this table and nothing else. A code without an error class, a class
 * without a code or a forgotten case in a switch does not compile.
 */
export type FaultKind = 'transient' | 'permanent' | 'data' | 'defect';
export type AlertLevel = 'info' | 'warning' | 'error' | 'critical';

/** What becomes of the page's cells once no try is left. */
export type Consequence =
  | 'parked' // kept with a durable time before which nobody asks
  | 'failed' // pending, asked again by healing
  | 'removed' // the symbol leaves the active list
  | 'asset-fails' // every other symbol of this venue's asset is left alone too
  | 'run-stops' // no exchange is asked any more
  | 'quarantined'
  | 'recheck' // asked once more later, then judged
  | 'counted' // nothing is lost: noted and gone on
  | 'rerouted' // the next channel is told in its place
  | 'refused'; // nothing was started

export interface FaultRule {
  readonly kind: FaultKind;
  /** Requests for one page, the first included. */
  readonly triesMax: number;
  readonly backoff: Backoff | null;
  readonly consequence: Consequence;
  readonly level: AlertLevel;
  /** What the venue, the Hub or the machine said. */
  readonly signal: string;
  /** What Candlekeep does about it. */
  readonly action: string;
  /** What a person can do; one sentence, with a command where there is one. */
  readonly hint: string;
}

export const FAULTS = {
  EXCHANGE_RATE_LIMITED: {
    kind: 'transient',
    triesMax: 5,
    backoff: BACKOFFS.throttled,
    consequence: 'parked',
    level: 'warning',
    signal: "429; OKX 50011; other venues' codes",
    action:
      'The venue is left alone until Retry-After has passed (seconds or HTTP-date, never shortened), else exponential backoff with full jitter. The symbol is never dropped.',
    hint: 'Nothing to do. If it happens often, lower CANDLEKEEP_RATE_SHARE: another program may share this IP address.',
  },
  EXCHANGE_IP_BANNED: {
    kind: 'transient',
    triesMax: 1,
    backoff: BACKOFFS.banned,
    consequence: 'parked',
    level: 'error',
    signal: '418; "banned until <ms>"',
    action:
      'The venue is left alone until the later of Retry-After and the stated end of the ban, else for 2 minutes. No probe before.',
    hint: 'Find what else uses this IP address; bans grow for repeat offenders.',
  },
  EXCHANGE_MAINTENANCE: {
    kind: 'transient',
    triesMax: 1,
    backoff: BACKOFFS.maintenance,
    consequence: 'parked',
    level: 'warning',
    signal: '503 whose body says so; OKX 50001; Coinbase "under maintenance"; Binance -1016',
    action: 'The venue is left alone until Retry-After has passed, else for 5 minutes.',
    hint: "Nothing to do; the venue's status page says how long it takes.",
  },
  EXCHANGE_SERVER_ERROR: {
    kind: 'transient',
    triesMax: 4,
    backoff: BACKOFFS.failing,
    consequence: 'failed',
    level: 'warning',
    signal: '500-503, 505-510, 520, 521, 523, 525-527, 529, 530, other 5xx; exchange codes',
    action: "Exponential backoff with full jitter; the venue's Retry-After is a floor.",
    hint: 'Nothing to do; healing asks again. candlekeep heal --now asks at once.',
  },
  REQUEST_TIMEOUT: {
    kind: 'transient',
    triesMax: 3,
    backoff: BACKOFFS.timeout,
    consequence: 'failed',
    level: 'warning',
    signal: 'no headers or a stalled body within CANDLEKEEP_REQUEST_TIMEOUT; 408, 504, 522, 524; Binance -1007',
    action: 'Asked again at once, then with backoff.',
    hint: 'On a slow line raise CANDLEKEEP_REQUEST_TIMEOUT.',
  },
  CONNECTION_FAILED: {
    kind: 'transient',
    triesMax: 6,
    backoff: BACKOFFS.failing,
    consequence: 'failed',
    level: 'warning',
    signal: 'DNS, refused, reset, TLS, cut body, truncated JSON or gzip; 425, 407, 511',
    action: 'Exponential backoff with full jitter; the next host where the venue has several.',
    hint: 'Check the network: candlekeep doctor. Behind a proxy set HTTPS_PROXY.',
  },
  REQUEST_REJECTED: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'error',
    signal: '400 and other 4xx that are nothing else; 404 with HTML or XML on an API path',
    action: 'Logged; the symbol is skipped for this run.',
    hint: 'The venue does not accept what was asked: check a *_URL you set, else report it with the output of candlekeep runs show RUN --json.',
  },
  UNAUTHORIZED: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'run-stops',
    level: 'critical',
    signal: '401 and key-level codes',
    action:
      'Critical. A durable stop: this run and every process on the data directory stop asking any exchange until the configuration has changed or candlekeep resume was run.',
    hint: "Candles need no key: find out who answers in the venue's place, a *_URL or a proxy (candlekeep config show). When it is mended without a change of the configuration: candlekeep resume.",
  },
  FORBIDDEN: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'asset-fails',
    level: 'error',
    signal: '403 (HTML, empty or a venue-level code), 451',
    action: "That exchange's asset fails at once; other exchanges go on.",
    hint: 'Check API permissions, your region and your IP address: the venue refuses this machine.',
  },
  NOT_FOUND: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'warning',
    signal: '404 with JSON; symbol-level 403',
    action: 'Logged; the symbol is skipped for this run.',
    hint: "Check the symbol's spelling and whether the venue still lists it.",
  },
  SYMBOL_INVALID: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'removed',
    level: 'warning',
    signal: "Binance -1121, OKX 51001, Coinbase NotFound, confirmed by the venue's own symbol list",
    action: 'Removed from the active list, with the reason. Its due cells stay in the account.',
    hint: 'Check the spelling in your configuration; candlekeep symbols list tells when the venue is asked again, symbols enable does not wait for that.',
  },
  SCHEMA_MISMATCH: {
    kind: 'data',
    triesMax: 2,
    backoff: BACKOFFS.failing,
    consequence: 'failed',
    level: 'error',
    signal: '200 with HTML, wrong shape, wrong time unit, success flag absent; 1xx, 3xx, other 2xx',
    action: 'Asked once more; the raw answer is kept in bronze.',
    hint: 'If it stays, the venue changed its format: report it with the answer kept in bronze.',
  },
  ROWS_INVALID: {
    kind: 'data',
    triesMax: 1,
    backoff: null,
    consequence: 'quarantined',
    level: 'warning',
    signal:
      'a row breaks a rule: OHLC order, price <= 0, not finite, volume < 0, VWAP outside low..high, off grid, unfinished',
    action:
      "The row goes to quarantine with its rule and the raw answer's reference, and is asked once more like a hole. Every other row goes on. More than 5 % removed: warning; more than 10 %: error.",
    hint: 'candlekeep quarantine list shows the rows; real venues break these rules almost never.',
  },
  ROWS_DUPLICATE: {
    kind: 'data',
    triesMax: 1,
    backoff: null,
    consequence: 'counted',
    level: 'info',
    signal: 'the same exchange, symbol, interval and open time twice',
    action: 'The last complete row is kept and the others are counted. Different values are a revision.',
    hint: 'Nothing to do.',
  },
  ROWS_MISSING: {
    kind: 'data',
    triesMax: 1,
    backoff: null,
    consequence: 'recheck',
    level: 'warning',
    signal: 'a grid point inside the listed life without a row',
    action:
      'Asked again in the same run and once more after CANDLEKEEP_RECHECK_AFTER; until then the candles are pending.',
    hint: 'candlekeep check-gaps lists every hole with its next attempt.',
  },
  SYMBOLS_FAILED: {
    kind: 'data',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'warning',
    signal:
      "more than half of a bronze asset's symbols failed: the asset fails, under the code most of them share; above 10 % RULE_FAILED_SYMBOLS warns",
    action: 'What survived is stored. Healing asks for the rest.',
    hint: 'candlekeep runs show RUN names the symbols and their codes.',
  },
  PUBLISH_FAILED: {
    kind: 'transient',
    triesMax: 5,
    backoff: BACKOFFS.hub,
    consequence: 'failed',
    level: 'critical',
    signal: 'the Hub answers with an error or not at all',
    action: 'Random exponential backoff. One commit or none: nothing is half visible.',
    hint: "Check HF_TOKEN, CANDLEKEEP_HF_REPO and the Hub's status; the dataset folder under gold/ is complete on disk.",
  },
  CONFIG_INVALID: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'refused',
    level: 'error',
    signal: 'a file, flag or variable that cannot be used',
    action: 'Refuses to start and touches nothing.',
    hint: 'candlekeep config show prints what is in force and where it comes from.',
  },
  STATE_UNUSABLE: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'refused',
    level: 'error',
    signal: 'state.db is damaged, foreign, written by a newer Candlekeep, or missing beside stored candles',
    action: 'Refuses to start and leaves the file as it is.',
    hint: 'Use the Candlekeep that wrote it, or name another --data-dir. A lost or damaged state is rebuilt from bronze: candlekeep repair.',
  },
  STORAGE_FAILED: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'run-stops',
    level: 'critical',
    signal: 'the data directory cannot be written: full disk, permissions, read-only, I/O error',
    action: 'The run stops. What was stored before stays whole; the next run continues there.',
    hint: 'Free space or correct the permissions of the data directory, then run the same command again.',
  },
  ANSWER_DAMAGED: {
    kind: 'data',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'error',
    signal:
      'an answer kept in bronze is gone, cut, does not match its checksum, or is rejected by the reader of this version',
    action:
      'The answer is marked unusable and its candles are pending and asked again; every other answer of the file is used as before.',
    hint: 'Look at the disk (dmesg). With a backup of the segment: put it back and run candlekeep repair, else candlekeep heal --now.',
  },
  CELLS_LEASED: {
    kind: 'transient',
    triesMax: 1,
    backoff: null,
    consequence: 'refused',
    level: 'info',
    signal: 'another run holds the lease of the same cells',
    action: 'Everything else is done first, the leased cells are tried last for 5 seconds.',
    hint: 'Wait for the run named in the message, or look at it: candlekeep runs show RUN.',
  },
  RUN_CRASHED: {
    kind: 'transient',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'error',
    signal: 'the process of a run ended before the run did: kill -9, out of memory, power',
    action:
      'The next recovery turn ends the run, gives its leases back and runs it again, at most 3 times. What it stored is kept; its cells are asked for again.',
    hint: "If it comes again, look for what ends the process: memory, a service manager's time limit, the kernel's log.",
  },
  ALERT_CHANNEL_BROKEN: {
    kind: 'transient',
    triesMax: 3,
    backoff: BACKOFFS.alertChannel,
    consequence: 'rerouted',
    level: 'error',
    signal:
      'an alert channel refuses, answers with something else than it should, or not at all: 3 failed sends, 30 s, or one refusal that asking again cannot change',
    action:
      "The next channel of the alert's level is told in its place, and told that this one is broken. The broken channel is tried again with growing waits. When every channel is down, alerts wait in the store, are written to undelivered.jsonl, and are delivered in order on return. No work of the pipeline fails and no exit code changes.",
    hint: "Check the channel's address and key; the message says what it answered.",
  },
  DEFECT: {
    kind: 'defect',
    triesMax: 1,
    backoff: null,
    consequence: 'run-stops',
    level: 'critical',
    signal: "anything unclassified: an error of Candlekeep's own",
    action: 'Never retried and never counted as a failed symbol: the run fails and the stack is kept.',
    hint: 'Please report it with the output of candlekeep runs show RUN --json.',
  },
} as const satisfies Readonly<Record<string, FaultRule>>;

export type FaultCode = keyof typeof FAULTS;
export const FAULT_CODES = Object.keys(FAULTS) as readonly FaultCode[];
export const isFaultCode = (text: string): text is FaultCode => Object.hasOwn(FAULTS, text);
export const ruleOf = (code: FaultCode): FaultRule => FAULTS[code];
