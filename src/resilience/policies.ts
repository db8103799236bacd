import type { ExchangeAPIError, ExchangeFaultCode, UnauthorizedError } from '../errors/errors.ts';
import type { RateLimit, UsedWeight } from './rate-limit/rate-limit.ts';

/**
 * What every attempt passes before it reaches the wire, outermost first: halt, breaker, gate, concurrency limit, rate
 * limiter. All but the concurrency limit are shared by every process that sends requests from the same address.
 * `permissivePolicies` admits everything.
 */
export interface ResiliencePolicies {
  readonly halts: HaltSwitch;
  readonly breaker: Breaker;
  readonly gate: Gate;
  readonly slots: Slots;
  readonly limiter: Limiter;
  readonly budget: RetryBudget;
}

/** Why no request goes to an exchange, and until when (wall clock). */
export interface Closure {
  readonly code: ExchangeFaultCode;
  readonly untilMs: number;
}

/** The durable halt of all requests after UNAUTHORIZED, until a person has acted. */
export interface HaltSwitch {
  /** The fault of every page during a halt; null without one. */
  standing(): Promise<UnauthorizedError | null>;
  /** `runId`: the run that met it, if it was one. */
  engage(fault: ExchangeAPIError, runId: string | null): Promise<void>;
}

/** Keeps pages from an exchange that does not respond. */
export interface Breaker {
  /** Null admits an attempt for `page`; otherwise the closure, and when to check again. */
  admit(page: string, symbol: string | null): Promise<BreakerClosure | null>;
  /** How an attempt that was admitted ended. */
  observe(as: PageEnd['as']): void;
  /** How a page that was admitted ended, once. */
  record(page: string, end: PageEnd): Promise<void>;
}

/**
 * `suspected`: no response lately, and some pages are probing. `open`: no requests until then. `half-open`: one page
 * probes whether the exchange responds again.
 */
export interface BreakerClosure extends Closure {
  readonly phase: 'suspected' | 'open' | 'half-open';
}

export interface PageEnd {
  /** The page's symbol: only failures of several symbols count against the venue. */
  readonly symbol: string | null;
  /** `undecided`: cancelled, or an end that does not show whether the venue responds. */
  readonly as: 'answered' | 'undecided' | ExchangeFaultCode;
}

/** Closed by the exchange's own response, for every page. */
export interface Gate {
  /**
   * Resolves with null once requests are allowed, after any number of waits; immediately with the closure when it
   * stays closed for longer than may be slept. @throws the signal's reason.
   */
  pass(signal: AbortSignal): Promise<Closure | null>;
  isOpen(): Promise<boolean>;
  /** Until when the exchange asked for no requests; null while they are allowed. */
  opensAtMs(): Promise<number | null>;
  /** Never opens earlier than it would have. */
  close(closure: Closure): Promise<void>;
}

export interface Slots {
  /** Resolves with a function that releases the slot. First come, first served. @throws the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>;
}

export interface Limiter {
  /** Resolves when `weight` may be spent. First come, first served. @throws the signal's reason. */
  take(weight: number, signal: AbortSignal): Promise<Grant>;
  /** The limits in force as the venue at `origin` states them; they replace prior knowledge. */
  learn(limits: readonly RateLimit[], origin: string): Promise<void>;
  /** False when the limits have to be fetched from the venue. */
  knows(origin: string): Promise<boolean>;
}

/** Weight granted to one request that is sent immediately, not after another wait. */
export interface Grant {
  /** The request was not sent. */
  giveBack(): Promise<void>;
  /** The request has ended; null without a response. */
  settle(metadata: ResponseMetadata | null): Promise<void>;
}

/** What a response says beside its content. Times are ours, wall clock. */
export interface ResponseMetadata {
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** The `Date` header, whole seconds of the exchange's clock; null without one. */
  readonly dateMs: number | null;
  readonly used: readonly UsedWeight[];
}

/** Limits retries, so that an exchange that is down does not multiply its traffic. */
export interface RetryBudget {
  /** False when too little is left: nothing is spent then. */
  spend(tokens: number): Promise<boolean>;
  refund(tokens: number): Promise<void>;
}
