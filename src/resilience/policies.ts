import type { ExchangeAPIError, ExchangeFaultCode, UnauthorizedError } from '../errors/errors.ts';
import type { RateLimit, UsedWeight } from './rate-limit/rate-limit.ts';

/**
 * What every attempt passes before it reaches the wire, outermost first: stop order, breaker, venue
 * gate, concurrency limit, rate limiter. All but the concurrency limit are shared by every process that
 * asks the venue from the same address. `openGuards` lets everything pass.
 */
export interface ResiliencePolicies {
  readonly halts: HaltSwitch;
  readonly breaker: Breaker;
  readonly gate: Gate;
  readonly slots: Slots;
  readonly limiter: Limiter;
  readonly budget: RetryBudget;
}

/** Why a venue is not asked, and until when (wall clock). */
export interface Closure {
  readonly code: ExchangeFaultCode;
  readonly untilMs: number;
}

/** The durable end of all asking after UNAUTHORIZED, until a person has done something about it. */
export interface HaltSwitch {
  /** The fault every page fails with while the order stands; null without one. */
  standing(): Promise<UnauthorizedError | null>;
  /** `runId`: the run that met it, if it was one. */
  engage(fault: ExchangeAPIError, runId: string | null): Promise<void>;
}

/** Keeps a venue that does not answer from being asked page after page. */
export interface Breaker {
  /** Null admits an attempt for `page`; otherwise what keeps it and when to ask again. */
  admit(page: string, symbol: string | null): Promise<BreakerClosure | null>;
  /** How an attempt that was admitted ended. */
  observe(as: PageEnd['as']): void;
  /** How a page that was admitted ended, once. */
  record(page: string, end: PageEnd): Promise<void>;
}

/**
 * `in-doubt`: nobody was answered of late, and some pages are finding out whether that goes on. `open`: nobody
 * may ask until then. `half-open`: one page is finding out whether the venue answers again.
 */
export interface BreakerClosure extends Closure {
  readonly phase: 'in-doubt' | 'open' | 'half-open';
}

export interface PageEnd {
  /** What the page was about: only failures over different symbols speak of the venue. */
  readonly symbol: string | null;
  /** `undecided`: cancelled, or ended by something that says nothing about whether the venue answers. */
  readonly as: 'answered' | 'undecided' | ExchangeFaultCode;
}

/** Closed by a venue's word for everybody who asks that venue. */
export interface Gate {
  /**
   * Resolves with null once the venue may be asked, however often that has to be waited for; with the
   * closure, at once, when it stays closed for longer than may be slept. @throws the signal's reason.
   */
  pass(signal: AbortSignal): Promise<Closure | null>;
  isOpen(): Promise<boolean>;
  /** Until when the venue asked to be left alone; null while it may be asked. */
  opensAtMs(): Promise<number | null>;
  /** Never opens earlier than it would have. */
  close(closure: Closure): Promise<void>;
}

export interface Slots {
  /** Resolves with what gives the slot back. First come, first served. @throws the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>;
}

export interface Limiter {
  /** Resolves when `weight` may be spent. First come, first served. @throws the signal's reason. */
  take(weight: number, signal: AbortSignal): Promise<Grant>;
  /** The limits in force as the venue at `origin` states them; they replace prior knowledge. */
  learn(limits: readonly RateLimit[], origin: string): Promise<void>;
  /** False when the venue should be asked for its limits. */
  knows(origin: string): Promise<boolean>;
}

/** Weight that was granted to one request. It is good at once: not after another wait. */
export interface Grant {
  /** The request was not sent. */
  giveBack(): Promise<void>;
  /** The request's end; null when no answer came. */
  settle(metadata: ResponseMetadata | null): Promise<void>;
}

/** What an answer says beside its content. Times are ours, wall clock. */
export interface ResponseMetadata {
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** The answer's `Date`, whole seconds of the venue's clock; null without one. */
  readonly dateMs: number | null;
  readonly used: readonly UsedWeight[];
}

/** A purse that retries are paid from, so that a dead venue cannot multiply its traffic. */
export interface RetryBudget {
  /** False when too little is left: nothing is spent then. */
  spend(tokens: number): Promise<boolean>;
  refund(tokens: number): Promise<void>;
}

const nothing = (): Promise<void> => Promise.resolve();

export const permissivePolicies: ResiliencePolicies = {
  halts: { standing: () => Promise.resolve(null), engage: nothing },
  breaker: { admit: () => Promise.resolve(null), observe: () => undefined, record: nothing },
  gate: {
    pass: () => Promise.resolve(null),
    isOpen: () => Promise.resolve(true),
    opensAtMs: () => Promise.resolve(null),
    close: nothing,
  },
  slots: { take: () => Promise.resolve(() => undefined) },
  limiter: {
    take: () => Promise.resolve({ giveBack: nothing, settle: nothing }),
    learn: nothing,
    knows: () => Promise.resolve(true),
  },
  budget: { spend: () => Promise.resolve(true), refund: nothing },
};
