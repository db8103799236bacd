import { withTimeLimit, type Clock } from '../../kernel/clock.ts';
import type { HttpAnswer } from '../../kernel/http.ts';
import type { Log, LogFields } from '../../kernel/log.ts';
import type { Random } from '../../kernel/random.ts';
import { ExchangeAPIError, RequestTimeoutError } from '../taxonomy/errors.ts';
import { ruleOf, type FaultCode } from '../taxonomy/table.ts';
import { decide, type RetryDecision, type StopReason } from './decide.ts';
import type { Guards } from './guards.ts';

/** One request for one page, as its adapter describes it. */
export interface PageCall<T> {
  readonly exchange: string;
  /** Names the page in log lines. */
  readonly label: LogFields;
  readonly weight: number;
  /** Hosts that serve the same request, at least one. A failed connection moves on to the next, for this page and those after it. */
  readonly origins: readonly string[];
  /** The one of `origins` to go on with when another refuses our region (451); null without one. */
  readonly unrestrictedOrigin: string | null;
  readonly send: (origin: string, signal: AbortSignal) => Promise<HttpAnswer>;
  /** @throws ExchangeAPIError for an answer that is not what was asked for. */
  readonly read: (answer: HttpAnswer) => T;
  /** What the transport threw, as an `ExchangeAPIError` where it is one. */
  readonly translate: (error: unknown) => unknown;
  readonly usedWeight: (answer: HttpAnswer) => Readonly<Record<string, number>>;
  /** Called for every failed attempt, before any wait; the fault log and bronze keep it. */
  readonly onFailure: (failure: AttemptFailure) => Promise<void>;
}

export interface AttemptFailure {
  readonly fault: ExchangeAPIError;
  readonly decision: RetryDecision;
  /** Requests sent for the page so far, this one included. */
  readonly request: number;
  readonly origin: string;
  /** The answer that could not be used; null when there was none. */
  readonly answer: HttpAnswer | null;
}

export type PageResult<T> =
  | { readonly ok: true; readonly value: T; readonly answer: HttpAnswer; readonly origin: string; readonly requests: number }
  | {
      readonly ok: false;
      readonly fault: ExchangeAPIError;
      readonly why: Exclude<StopReason, 'cancelled'>;
      readonly requests: number;
      /** Nobody asks before this wall-clock time; null when the schedule of healing decides. */
      readonly notBeforeMs: number | null;
    };

export interface ExecutorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly guards: Guards;
  /** For one attempt, headers and body together. */
  readonly attemptTimeoutMs: number;
  /** For one page, from the start of its first attempt. */
  readonly deadlineMs: number;
}

export interface Executor {
  /**
   * Sends a page's request until it is answered or the fault table says stop. A failure is returned;
   * a cancellation rejects with the signal's reason, a defect flies.
   */
  execute<T>(call: PageCall<T>, signal: AbortSignal): Promise<PageResult<T>>;
}

/**
 * The only place that retries. Outside in: deadline > retry > breaker > gate > limiter > concurrency
 * limit > attempt timeout > transport; every attempt passes all of them.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const host = { at: 0 };
  return { execute: (call, signal) => executePage({ ...options, host }, call, signal) };
}

/** `host.at`: which of the venue's hosts answered last; the next page begins there. */
type ExecutorState = ExecutorOptions & { readonly host: { at: number } };

async function executePage<T>(options: ExecutorState, call: PageCall<T>, signal: AbortSignal): Promise<PageResult<T>> {
  const { clock, random, guards, host } = options;
  const triesByCode: Partial<Record<FaultCode, number>> = {};
  let firstAttemptAtMs: number | null = null;
  for (let requests = 1; ; requests++) {
    const at = host.at;
    const origin = call.origins[at % call.origins.length] ?? '';
    guards.breaker.check();
    await guards.gate.pass(signal);
    await guards.limiter.take(call.weight, signal);
    await guards.gate.pass(signal); // it may have closed while the limiter made us wait
    firstAttemptAtMs ??= clock.monotonicMs();
    const attempt = await attemptOnce(options, call, { origin, signal });
    if (attempt.ok) {
      guards.breaker.record(true);
      return { ...attempt, origin, requests };
    }
    const { fault, answer } = attempt;
    triesByCode[fault.code] = (triesByCode[fault.code] ?? 0) + 1;
    const history = { triesByCode, requests, elapsedMs: clock.monotonicMs() - firstAttemptAtMs, deadlineMs: options.deadlineMs };
    const elsewhere = hostAfter(fault, call, at);
    const decision = elsewhere?.isFree ? retryElsewhere(fault) : decide(fault, history, random.next());
    if (elsewhere !== null && host.at === at) host.at = elsewhere.at;
    const waitMs = decision.do === 'retry' ? decision.waitMs : decision.notBeforeInMs;
    if (ruleOf(fault.code).consequence === 'parked' && waitMs !== null) guards.gate.closeFor(waitMs);
    await call.onFailure({ fault, decision, request: requests, origin, answer });
    logFailure(options.log, call, { fault, decision });
    if (decision.do === 'stop') {
      guards.breaker.record(false);
      const notBeforeMs = decision.notBeforeInMs === null ? null : clock.nowMs() + decision.notBeforeInMs;
      return { ok: false, fault, why: decision.why, requests, notBeforeMs };
    }
    await clock.sleep(decision.waitMs, signal);
  }
}

/** Where the next request goes after a fault of the host at `at`; null to stay. Only a refused region moves on without a try of its code. */
function hostAfter<T>(fault: ExchangeAPIError, call: PageCall<T>, at: number): { readonly at: number; readonly isFree: boolean } | null {
  if (fault.code === 'CONNECTION_FAILED') return { at: at + 1, isFree: false };
  const unrestricted = call.unrestrictedOrigin === null ? -1 : call.origins.indexOf(call.unrestrictedOrigin);
  const isRefusedRegion = fault.facts.status === 451 && unrestricted >= 0 && at % call.origins.length !== unrestricted;
  return isRefusedRegion ? { at: unrestricted, isFree: true } : null;
}

const retryElsewhere = (fault: ExchangeAPIError): RetryDecision => ({ do: 'retry', waitMs: 0, tries: 1, triesMax: ruleOf(fault.code).triesMax + 1 });

type Attempt<T> =
  | { readonly ok: true; readonly value: T; readonly answer: HttpAnswer }
  | { readonly ok: false; readonly fault: ExchangeAPIError; readonly answer: HttpAnswer | null };

async function attemptOnce<T>(options: ExecutorOptions, call: PageCall<T>, { origin, signal }: { origin: string; signal: AbortSignal }): Promise<Attempt<T>> {
  const { clock, guards, attemptTimeoutMs } = options;
  const onTime = (): Error => timeoutOf(call, attemptTimeoutMs);
  let answer: HttpAnswer | null = null;
  let sentAtMs = 0;
  try {
    answer = await guards.slots.run(signal, () => {
      sentAtMs = clock.nowMs();
      return withTimeLimit(clock, { limitMs: attemptTimeoutMs, onTime, outer: signal }, (attemptSignal) => call.send(origin, attemptSignal));
    });
    guards.limiter.observe(call.usedWeight(answer), sentAtMs);
    return { ok: true, value: call.read(answer), answer };
  } catch (error) {
    signal.throwIfAborted();
    const translated = call.translate(error);
    if (translated instanceof ExchangeAPIError) return { ok: false, fault: translated, answer };
    throw translated;
  }
}

const timeoutOf = <T>(call: PageCall<T>, attemptTimeoutMs: number): RequestTimeoutError =>
  new RequestTimeoutError(`${call.exchange} did not answer completely within ${attemptTimeoutMs} ms`, { exchange: call.exchange, status: null, venueCode: null, retryAfterMs: null });

function logFailure<T>(log: Log, call: PageCall<T>, { fault, decision }: { fault: ExchangeAPIError; decision: RetryDecision }): void {
  const fields = { ...call.label, exchange: call.exchange, code: fault.code, status: fault.facts.status };
  if (decision.do === 'retry') {
    log.warn(`${fault.message}; try ${decision.tries} of ${decision.triesMax}, next in ${decision.waitMs} ms`, { ...fields, try: decision.tries, triesMax: decision.triesMax, waitMs: decision.waitMs });
    return;
  }
  log.warn(`${fault.message}; no further try (${decision.why})`, { ...fields, why: decision.why, waitMs: decision.notBeforeInMs });
}
