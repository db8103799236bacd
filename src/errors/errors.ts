import type { FaultCode } from './table.ts';

/** Plain JSON about one failure: no secret, no body. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** An expected failure. Anything else that is thrown, except a cancellation, is a defect. */
export abstract class PipelineError extends Error {
  abstract readonly code: FaultCode;
  abstract readonly facts: Facts;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** Facts about a response that could not be used. `status` is null without a response. */
export interface ResponseFacts extends Facts {
  readonly exchange: string;
  readonly status: number | null;
  /** The code in the exchange's error body, as text; null without one. */
  readonly venueCode: string | null;
  /** How long the exchange asks us to stay away, from now; null when it does not say. Unit: milliseconds. */
  readonly retryAfterMs: number | null;
}

/** A failure at an exchange: the wire, the response, or the data in it. */
export abstract class ExchangeAPIError extends PipelineError {
  abstract override readonly code: ExchangeFaultCode;
  readonly facts: ResponseFacts;

  constructor(message: string, facts: ResponseFacts, options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

export class RateLimitError extends ExchangeAPIError {
  readonly code = 'EXCHANGE_RATE_LIMITED';
}
export class IpBannedError extends ExchangeAPIError {
  readonly code = 'EXCHANGE_IP_BANNED';
}
export class MaintenanceError extends ExchangeAPIError {
  readonly code = 'EXCHANGE_MAINTENANCE';
}
export class ServerError extends ExchangeAPIError {
  readonly code = 'EXCHANGE_SERVER_ERROR';
}
export class RequestTimeoutError extends ExchangeAPIError {
  readonly code = 'REQUEST_TIMEOUT';
}
export class ConnectionError extends ExchangeAPIError {
  readonly code = 'CONNECTION_FAILED';
}
export class RequestRejectedError extends ExchangeAPIError {
  readonly code = 'REQUEST_REJECTED';
}
export class UnauthorizedError extends ExchangeAPIError {
  readonly code = 'UNAUTHORIZED';
}
export class ForbiddenError extends ExchangeAPIError {
  readonly code = 'FORBIDDEN';
}
export class NotFoundError extends ExchangeAPIError {
  readonly code = 'NOT_FOUND';
}
export class SymbolInvalidError extends ExchangeAPIError {
  readonly code = 'SYMBOL_INVALID';
}
export class SchemaMismatchError extends ExchangeAPIError {
  readonly code = 'SCHEMA_MISMATCH';
}

const EXCHANGE_ERRORS = {
  EXCHANGE_RATE_LIMITED: RateLimitError,
  EXCHANGE_IP_BANNED: IpBannedError,
  EXCHANGE_MAINTENANCE: MaintenanceError,
  EXCHANGE_SERVER_ERROR: ServerError,
  REQUEST_TIMEOUT: RequestTimeoutError,
  CONNECTION_FAILED: ConnectionError,
  REQUEST_REJECTED: RequestRejectedError,
  UNAUTHORIZED: UnauthorizedError,
  FORBIDDEN: ForbiddenError,
  NOT_FOUND: NotFoundError,
  SYMBOL_INVALID: SymbolInvalidError,
  SCHEMA_MISMATCH: SchemaMismatchError,
} as const;

/** Codes with which one request to an exchange can fail. */
export type ExchangeFaultCode = keyof typeof EXCHANGE_ERRORS;

/** The error class of an exchange code, for adapters that look the code up in a table. */
export function exchangeError(
  code: ExchangeFaultCode,
  message: string,
  facts: ResponseFacts,
  options?: ErrorOptions,
): ExchangeFault {
  return new EXCHANGE_ERRORS[code](message, facts, options);
}

type ExchangeFault = InstanceType<(typeof EXCHANGE_ERRORS)[ExchangeFaultCode]>;

/** Delivered data that breaks a rule. */
export class ValidationError extends PipelineError {
  readonly code: 'ROWS_INVALID' | 'ROWS_DUPLICATE' | 'ROWS_MISSING' | 'SYMBOLS_FAILED';
  readonly facts: Facts;

  constructor(code: ValidationError['code'], message: string, facts: Facts, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.facts = facts;
  }
}

export class PublishError extends PipelineError {
  readonly code = 'PUBLISH_FAILED';
  /** `retryable` false: the Hub refused for good (token, repository, request). */
  readonly facts: Facts & {
    readonly repo: string;
    readonly status: number | null;
    readonly retryAfterMs: number | null;
    readonly retryable: boolean;
  };

  constructor(message: string, facts: PublishError['facts'], options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

/** `where` names the file and key, flag or variable; `expected` and `got` are for people. */
export class ConfigurationError extends PipelineError {
  readonly code = 'CONFIG_INVALID';
  readonly facts: Facts & {
    readonly where: string;
    readonly expected: string;
    readonly got: string;
    readonly nearest: string | null;
  };

  constructor(
    facts: { where: string; expected: string; got: string; nearest?: string | null },
    options?: ErrorOptions,
  ) {
    const nearest = facts.nearest ?? null;
    super(
      `${facts.where}: expected ${facts.expected}, got ${facts.got}${nearest ? `; did you mean ${nearest}?` : ''}`,
      options,
    );
    this.facts = { ...facts, nearest };
  }
}

export class StateError extends PipelineError {
  readonly code = 'STATE_UNUSABLE';
  readonly facts: Facts & { readonly path: string };

  constructor(message: string, facts: StateError['facts'], options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

export class StorageError extends PipelineError {
  readonly code = 'STORAGE_FAILED';
  readonly facts: Facts & { readonly path: string; readonly errno: string };

  constructor(message: string, facts: StorageError['facts'], options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

/** A response kept in bronze that can no longer be read. `loss`: `missing`, `cut` or `damaged`. */
export class AnswerDamagedError extends PipelineError {
  readonly code = 'ANSWER_DAMAGED';
  readonly facts: Facts & {
    readonly exchange: string;
    readonly symbol: string;
    readonly segment: string;
    readonly offset: number;
    readonly loss: string;
  };

  constructor(facts: AnswerDamagedError['facts'], options?: ErrorOptions) {
    super(
      `the response at byte ${facts.offset} of ${facts.segment} is ${facts.loss}; its candles are requested again`,
      options,
    );
    this.facts = facts;
  }
}

export class CellsLeasedError extends PipelineError {
  readonly code = 'CELLS_LEASED';
  readonly facts: Facts & { readonly lease: string; readonly owner: string };

  constructor(facts: CellsLeasedError['facts'], options?: ErrorOptions) {
    super(`${facts.lease} is leased by ${facts.owner}`, options);
    this.facts = facts;
  }
}

export class RunCrashedError extends PipelineError {
  readonly code = 'RUN_CRASHED';
  readonly facts: Facts & { readonly run: string };

  constructor(facts: RunCrashedError['facts'], options?: ErrorOptions) {
    super(`run ${facts.run} ended with its process; everything it stored is kept`, options);
    this.facts = facts;
  }
}

/**
 * Why a channel did not accept a message. `transient`: a retry may succeed. `limited`: it asks us to wait.
 * `permanent`: it accepts nothing from us any more. `refused`: it does not accept this message.
 */
export type ChannelFailure = 'transient' | 'limited' | 'permanent' | 'refused';

export class AlertChannelError extends PipelineError {
  readonly code = 'ALERT_CHANNEL_BROKEN';
  readonly facts: Facts & {
    readonly channel: string;
    readonly failure: ChannelFailure;
    readonly status: number | null;
    readonly retryAfterMs: number | null;
  };

  constructor(message: string, facts: AlertChannelError['facts'], options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}

/** An unexpected error, wrapped where it was caught. */
export class DefectError extends PipelineError {
  readonly code = 'DEFECT';
  readonly facts: Facts;

  constructor(message: string, options: { readonly cause: unknown }, facts: Facts = {}) {
    super(message, options);
    this.facts = facts;
  }
}

/** Every expected failure. */
export type Fault =
  | ExchangeFault
  | ValidationError
  | PublishError
  | ConfigurationError
  | StateError
  | StorageError
  | AnswerDamagedError
  | CellsLeasedError
  | RunCrashedError
  | AlertChannelError
  | DefectError;

/** Fails to compile with the name of a code that has no class. */
export const everyCodeHasAClass: [FaultCode] extends [Fault['code']] ? true : Exclude<FaultCode, Fault['code']> = true;
