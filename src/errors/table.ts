import { BACKOFFS, type Backoff } from './schedule.ts';

/**
 * Every way to fail, once: attempts, consequence, alert level and the sentences of the documentation and of
 * `candlekeep explain`. The waits are in `schedule.ts`; which HTTP status has which code is in
 * `exchanges/status-class.ts`. A code without an error class, a class without a code, or a forgotten case in a switch
 * does not compile.
 */
export type FaultKind = 'transient' | 'permanent' | 'data' | 'defect';
export type AlertLevel = 'info' | 'warning' | 'error' | 'critical';

/** What follows once the attempts are exhausted: for the page's cells where a page failed, else for the work. */
export type Consequence =
  | 'parked' // stored with a time before which they are not requested
  | 'failed' // pending, requested again by healing
  | 'removed' // the symbol leaves the active list
  | 'asset-fails' // the asset's other symbols are not requested either
  | 'run-stops' // no exchange is requested any more
  | 'quarantined'
  | 'recheck' // requested again later until delivered or classified
  | 'counted' // nothing is lost: counted and continued
  | 'rerouted' // the next channel is notified in its place
  | 'refused'; // this work was not started

export interface FaultRule {
  readonly kind: FaultKind;
  /**
   * Attempts at one query that may end with this code, the first included. A parked code gets at least
   * `PARKED_TRIES_MIN` where its wait is short enough to sleep.
   */
  readonly triesMax: number;
  readonly backoff: Backoff | null;
  readonly consequence: Consequence;
  readonly level: AlertLevel;
  /** How the exchange, the Hub or the machine shows it. */
  readonly signal: string;
  /** What Candlekeep does about it. */
  readonly action: string;
  /** What a person can do, with a command where there is one. Printed by `doctor` too, so it never names `doctor`. */
  readonly hint: string;
}

export const FAULTS = {
  EXCHANGE_RATE_LIMITED: {
    kind: 'transient',
    triesMax: 5,
    backoff: BACKOFFS.throttled,
    consequence: 'parked',
    level: 'warning',
    signal: "429; OKX 50011; Coinbase 401 without a key; other venues' codes",
    action:
      'No request goes to the exchange until Retry-After has passed (seconds or HTTP-date, never shortened); ' +
      'without one, exponential backoff with full jitter. The symbol is never dropped.',
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
      'No request goes to the exchange until the later of Retry-After and the stated end of the ban; if ' +
      'neither is stated, for 2 minutes. There is no probe before.',
    hint: 'Find what else uses this IP address; bans grow for repeat offenders.',
  },
  EXCHANGE_MAINTENANCE: {
    kind: 'transient',
    triesMax: 1,
    backoff: BACKOFFS.maintenance,
    consequence: 'parked',
    level: 'warning',
    signal: '503 whose body says so; OKX 50001; Coinbase "under maintenance"; Binance -1016',
    action: 'No request goes to the exchange until Retry-After has passed; if it is not stated, for 5 minutes.',
    hint: "Nothing to do; the exchange's status page says how long it takes.",
  },
  EXCHANGE_SERVER_ERROR: {
    kind: 'transient',
    triesMax: 4,
    backoff: BACKOFFS.failing,
    consequence: 'failed',
    level: 'warning',
    signal: '500-503, 505-510, 520, 521, 523, 525-527, 529, 530, other 5xx; exchange codes',
    action: "Retried after exponential backoff with full jitter; the exchange's Retry-After is a floor.",
    hint: 'Nothing to do: healing retries. candlekeep heal --now retries immediately.',
  },
  REQUEST_TIMEOUT: {
    kind: 'transient',
    triesMax: 3,
    backoff: BACKOFFS.timeout,
    consequence: 'failed',
    level: 'warning',
    signal: 'no headers or a stalled body within CANDLEKEEP_REQUEST_TIMEOUT; 408, 504, 522, 524; Binance -1007',
    action: 'Retried immediately, then with backoff.',
    hint: 'On a slow line raise CANDLEKEEP_REQUEST_TIMEOUT.',
  },
  CONNECTION_FAILED: {
    kind: 'transient',
    triesMax: 6,
    backoff: BACKOFFS.failing,
    consequence: 'failed',
    level: 'warning',
    signal: 'DNS, refused, reset, TLS, truncated body, truncated JSON or gzip; 425, 407, 511',
    action: 'Retried after exponential backoff with full jitter, on the next host where the exchange has several.',
    hint:
      'Check DNS, firewall and internet access of this machine. Behind a proxy set HTTPS_PROXY; check every *_URL ' +
      'you set.',
  },
  REQUEST_REJECTED: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'error',
    signal: '400 and other 4xx without a row of their own; 404 with HTML or XML on an API path',
    action: 'Logged. The page is given up; two in a row end the symbol for this run.',
    hint:
      'The exchange does not accept the request: check every *_URL you set. If all are right, report it with the ' +
      'output of candlekeep runs show RUN --json.',
  },
  UNAUTHORIZED: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'run-stops',
    level: 'critical',
    signal: '401 (except from Coinbase without a key, where it is throttling) and key-level codes',
    action:
      'Critical. A durable halt: this run and every process on the data directory send no request to any exchange ' +
      'until the configuration has changed or candlekeep resume was run.',
    hint:
      'Candles need no key, so something else responds in place of the exchange: check every *_URL you set and the ' +
      'proxy (candlekeep config show). If the fix changes no configuration, run candlekeep resume.',
  },
  FORBIDDEN: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'asset-fails',
    level: 'error',
    signal: '403 (HTML, empty or an exchange-level code), 451',
    action: 'The asset of that exchange fails immediately; other exchanges go on.',
    hint: 'Check your region, IP address and API permissions: the exchange refuses this machine.',
  },
  NOT_FOUND: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'warning',
    signal: '404 with JSON; symbol-level 403',
    action: 'Logged. The page is given up; two in a row end the symbol for this run.',
    hint: "Check the symbol's spelling and whether the exchange still lists it.",
  },
  SYMBOL_INVALID: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'removed',
    level: 'warning',
    signal: "Binance -1121, OKX 51001, Coinbase NotFound, confirmed by the exchange's own symbol list",
    action: 'Removed from the active list, with the reason. Its due cells stay in the account.',
    hint:
      'Check the spelling in your configuration. candlekeep symbols list shows when the symbol is checked again; ' +
      'candlekeep symbols enable restores it now.',
  },
  SCHEMA_MISMATCH: {
    kind: 'data',
    triesMax: 2,
    backoff: BACKOFFS.failing,
    consequence: 'failed',
    level: 'error',
    signal: '200 with HTML, wrong shape or wrong time unit, or without its success flag; 1xx, 3xx, other 2xx',
    action: 'Requested once more; the raw response is kept in bronze.',
    hint: 'If it persists, the exchange changed its format: report it with the response kept in bronze.',
  },
  ROWS_INVALID: {
    kind: 'data',
    triesMax: 1,
    backoff: null,
    consequence: 'quarantined',
    level: 'warning',
    signal:
      'a row breaks a rule: OHLC order, price <= 0, not finite, volume < 0, VWAP outside low..high, off grid, ' +
      'unfinished',
    action:
      'The row goes to quarantine with its rule and a reference to the raw response. It is requested again in the ' +
      'same run and once after CANDLEKEEP_RECHECK_AFTER. Every other row is stored. More than 5 % removed: warning; ' +
      'more than 10 %: error.',
    hint: 'candlekeep quarantine list shows the rows; real exchanges almost never break these rules.',
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
    signal: 'a grid point without a row while the symbol was listed',
    action:
      'Requested again in the same run, up to three times, and after CANDLEKEEP_RECHECK_AFTER, then daily. The ' +
      'candles are pending until they are delivered or classified.',
    hint: 'candlekeep check-gaps lists every gap with its next attempt.',
  },
  SYMBOLS_FAILED: {
    kind: 'data',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'warning',
    signal: "more than half of a bronze asset's symbols failed; RULE_FAILED_SYMBOLS warns above 10 %",
    action:
      'The asset fails under the most frequent code. Symbols that succeeded are stored. Healing requests the rest.',
    hint: 'candlekeep runs show RUN names the symbols and their codes.',
  },
  PUBLISH_FAILED: {
    kind: 'transient',
    triesMax: 5,
    backoff: BACKOFFS.hub,
    consequence: 'failed',
    level: 'critical',
    signal: 'the Hub responds with an error or not at all',
    action: 'Retried after exponential backoff with full jitter. One commit or none: readers never see half a release.',
    hint: "Check HF_TOKEN, CANDLEKEEP_HF_REPO and the Hub's status; the dataset under gold/ is complete on disk.",
  },
  CONFIG_INVALID: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'refused',
    level: 'error',
    signal: 'a file, flag or variable that cannot be used',
    action: 'Refuses to start and touches nothing.',
    hint: 'candlekeep config show prints the settings in force and where each comes from.',
  },
  STATE_UNUSABLE: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'refused',
    level: 'error',
    signal: 'state.db is damaged, foreign, written by a newer Candlekeep, or missing beside stored candles',
    action: 'Refuses to start and leaves the file as it is.',
    hint:
      'Use the Candlekeep that wrote it, or name another --data-dir. candlekeep repair rebuilds a lost or damaged ' +
      'state from bronze.',
  },
  STORAGE_FAILED: {
    kind: 'permanent',
    triesMax: 1,
    backoff: null,
    consequence: 'run-stops',
    level: 'critical',
    signal: 'the data directory cannot be written: full disk, permissions, read-only, I/O error',
    action: 'The run stops. Everything stored before stays whole; the next run continues there.',
    hint: 'Free space or correct the permissions of the data directory, then run the same command again.',
  },
  ANSWER_DAMAGED: {
    kind: 'data',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'error',
    signal:
      'a response kept in bronze is missing, truncated, does not match its checksum, or is rejected by this ' +
      "version's reader",
    action:
      'The response is marked unusable and its candles are pending and requested again; every other response ' +
      'of the file is used as before.',
    hint:
      'Check the disk (dmesg). With a backup of the segment, restore it and run candlekeep repair; ' +
      'otherwise run candlekeep heal --now.',
  },
  CELLS_LEASED: {
    kind: 'transient',
    triesMax: 1,
    backoff: null,
    consequence: 'refused',
    level: 'info',
    signal: 'another run holds the lease of the same cells',
    action: 'Everything else is done first; the leased cells are tried last, for 5 seconds.',
    hint: 'Wait for the run named in the message; candlekeep runs show RUN shows it.',
  },
  RUN_CRASHED: {
    kind: 'transient',
    triesMax: 1,
    backoff: null,
    consequence: 'failed',
    level: 'error',
    signal: 'the process of a run ended before the run did: kill -9, out of memory, power',
    action:
      'The next recovery tick ends the run and releases its leases. The run is retried 1 minute later, and if that ' +
      'fails too, after 5 and after 15 more minutes. Everything it stored is kept; the rest is requested again.',
    hint:
      "If it happens again, look for what ends the process: memory, a service manager's time limit, the kernel's " +
      'log.',
  },
  ALERT_CHANNEL_BROKEN: {
    kind: 'transient',
    triesMax: 3,
    backoff: BACKOFFS.alertChannel,
    consequence: 'rerouted',
    level: 'error',
    signal:
      'an alert channel refuses, responds unexpectedly or does not respond: 3 failed sends, 30 s, or one refusal ' +
      'that a retry cannot change',
    action:
      "The next channel of the alert's level is notified in its place, and is notified that this one is broken. The " +
      'broken channel is retried with growing waits. When every channel is down, alerts wait in the store, are ' +
      'written to undelivered.jsonl, and are delivered in order on return. No work of the pipeline fails, and no ' +
      'exit code but that of alerts test and doctor (8) shows it.',
    hint: "Check the channel's address and key; the message holds its response.",
  },
  DEFECT: {
    kind: 'defect',
    triesMax: 1,
    backoff: null,
    consequence: 'run-stops',
    level: 'critical',
    signal: 'anything unclassified: an error in Candlekeep itself',
    action: 'Never retried and never counted as a failed symbol: the run fails and the stack is kept.',
    hint: 'Please report it with the output of candlekeep runs show RUN --json.',
  },
} as const satisfies Readonly<Record<string, FaultRule>>;

export type FaultCode = keyof typeof FAULTS;
export const FAULT_CODES = Object.keys(FAULTS) as readonly FaultCode[];
export const isFaultCode = (text: string): text is FaultCode => Object.hasOwn(FAULTS, text);
export const ruleOf = (code: FaultCode): FaultRule => FAULTS[code];
