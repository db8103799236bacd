import type { Clock } from '../../platform/ports/clock.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { HttpResponse } from '../../platform/ports/http.ts';
import type { Log, LogFields } from '../../platform/ports/log.ts';
import type { Random } from '../../platform/ports/random.ts';
import { ExchangeAPIError, RequestTimeoutError } from '../../errors/errors.ts';
import { ruleOf, type FaultCode } from '../../errors/table.ts';
import { decide, type RetryDecision, type StopReason } from './decide.ts';
import type { ResiliencePolicies, ResponseMetadata, PageEnd } from '../policies.ts';
import { admitAttempt, type Admission } from '../admission.ts';
import type { UsedWeight } from '../rate-limit/rate-limit.ts';
import { RESPONSE_TOKENS, EMPTY_BUDGET_WAIT_MS, retryTokens } from './retry-budget.ts';

/** One request for one page, as its adapter describes it. */
export interface PageCall<T> {
  readonly exchange: string;
  /** What the page is about; null for a question that concerns the venue as a whole. */
  readonly symbol: string | null;
  /** The run it is asked for, if any. */
  readonly runId: string | null;
  /** Names the page in log lines. */
  readonly label: LogFields;
  readonly weight: number;
  /** Requests at most, where fewer than the fault table grants will do. */
  readonly requestsMax: number;
  /** Hosts that serve the same request, at least one. A failed connection moves on to the next, for this page and those after it. */
  readonly origins: readonly string[];
  /** The one of `origins` to go on with when another refuses our region (451); null without one. */
  readonly unrestrictedOrigin: string | null;
  readonly send: (origin: string, signal: AbortSignal) => Promise<HttpResponse>;
  /** @throws ExchangeAPIError for an answer that is not what was asked for. */
  readonly read: (response: HttpResponse) => T;
  /** What the transport threw, as an `ExchangeAPIError` where it is one. */
  readonly translate: (error: unknown) => unknown;
  readonly usedWeight: (response: HttpResponse) => readonly UsedWeight[];
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
  readonly response: HttpResponse | null;
}

export type PageResult<T> =
  | {
      readonly ok: true;
      readonly value: T;
      readonly response: HttpResponse;
      readonly origin: string;
      readonly requests: number;
    }
  | PageStop;

export interface PageStop {
  readonly ok: false;
  readonly fault: ExchangeAPIError;
  readonly why: Exclude<StopReason, 'cancelled'>;
  readonly requests: number;
  /** Nobody asks before this wall-clock time; null when the schedule of healing decides. */
  readonly notBeforeMs: number | null;
  /** When the breaker will let a page through again; null for every other stop. */
  readonly retryAtMs: number | null;
}

export interface ExecutorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly policies: ResiliencePolicies;
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
 * The only place that retries. Outside in: deadline > retry > stop order > breaker > gate > concurrency
 * limit > rate limiter > attempt timeout > transport; every attempt passes all of them.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const host = { at: 0 };
  return {
    execute: async (call, signal) => {
      const page = pageName(options.random);
      let end: PageEnd['as'] = 'undecided';
      try {
        const result = await executePage({ ...options, host, page }, call, signal);
        end = endOf(result);
        return result;
      } finally {
        await options.policies.breaker.record(page, { symbol: call.symbol, as: end });
      }
    },
  };
}

const pageName = (random: Random): string => Math.floor(random.next() * Number.MAX_SAFE_INTEGER).toString(36);

/** A page that was not asked, or was told to come back later, says nothing about whether the venue answers. */
const endOf = (result: PageResult<unknown>): PageEnd['as'] => {
  if (result.ok) return 'answered';
  return result.requests === 0 || result.why === 'parked' ? 'undecided' : result.fault.code;
};

/** `host.at`: which of the venue's hosts answered last; the next page begins there. `page`: its name among all processes. */
type PageOptions = ExecutorOptions & { readonly host: { at: number }; readonly page: string };

/** What has been spent on one page. */
interface PageProgress {
  readonly triesByCode: Partial<Record<FaultCode, number>>;
  requests: number;
  firstAttemptAtMs: number | null;
  /** Of the retry budget. */
  tokens: number;
}

async function executePage<T>(options: PageOptions, call: PageCall<T>, signal: AbortSignal): Promise<PageResult<T>> {
  const { clock, policies: guards } = options;
  const progress: PageProgress = { triesByCode: {}, requests: 0, firstAttemptAtMs: null, tokens: 0 };
  let last: ExchangeAPIError | null = null;
  for (;;) {
    const admission = await admitAttempt(
      {
        clock,
        policies: guards,
        exchange: call.exchange,
        page: options.page,
        symbol: call.symbol,
        weight: call.weight,
      },
      signal,
    );
    if (!admission.ok) return notAsked(options, call, { refusal: admission, requests: progress.requests });
    if (last !== null && elapsedMs(options, progress) > options.deadlineMs) {
      admission.leave();
      await admission.grant.giveBack();
      return stopped({ fault: last, why: 'deadline', requests: progress.requests, notBeforeMs: clock.nowMs() });
    }
    progress.firstAttemptAtMs ??= clock.monotonicMs();
    progress.requests += 1;
    const sentAtMs = clock.monotonicMs();
    const attempt = await passed(options, call, { admission, progress, signal });
    const { requests } = progress;
    if (attempt.ok) {
      await guards.budget.refund(Math.max(progress.tokens, RESPONSE_TOKENS));
      return { ...attempt, requests };
    }
    const { fault, decision } = attempt;
    const [failedAtMs, durationMs] = [clock.nowMs(), Math.round(clock.monotonicMs() - sentAtMs)];
    await call.onFailure({ ...attempt, request: requests });
    logFailure(options.log, call, { ...attempt, request: requests, atMs: failedAtMs, durationMs });
    if (decision.do === 'stop')
      return stopped({
        fault,
        why: decision.why,
        requests,
        notBeforeMs: decision.notBeforeInMs === null ? null : failedAtMs + decision.notBeforeInMs,
      });
    await clock.sleep(decision.waitMs, signal);
    last = fault;
  }
}

const elapsedMs = ({ clock }: PageOptions, { firstAttemptAtMs }: PageProgress): number =>
  clock.monotonicMs() - (firstAttemptAtMs ?? clock.monotonicMs());

const stopped = (stop: Omit<PageStop, 'ok' | 'retryAtMs'>): PageStop => ({ ok: false, ...stop, retryAtMs: null });

type Refusal = Extract<Admission, { readonly ok: false }>;

function notAsked<T>(
  { log }: PageOptions,
  call: PageCall<T>,
  { refusal, requests }: { readonly refusal: Refusal; readonly requests: number },
): PageStop {
  const { fault, why, untilMs } = refusal;
  log.warn(`${fault.message}; not asked (${why})`, { ...labelOf(call), code: fault.code, why });
  return {
    ok: false,
    fault,
    why,
    requests,
    notBeforeMs: why === 'parked' ? untilMs : null,
    retryAtMs: why === 'breaker' ? untilMs : null,
  };
}

type Attempt<T> =
  | { readonly ok: true; readonly value: T; readonly response: HttpResponse; readonly origin: string }
  | {
      readonly ok: false;
      readonly fault: ExchangeAPIError;
      readonly decision: RetryDecision;
      readonly response: HttpResponse | null;
      readonly origin: string;
    };

interface AttemptContext {
  readonly admission: Extract<Admission, { readonly ok: true }>;
  readonly progress: PageProgress;
  readonly signal: AbortSignal;
}

/** One attempt that passed the guards. What it means for others is known to them before anything else is done. */
async function passed<T>(
  options: PageOptions,
  call: PageCall<T>,
  { admission: passage, progress, signal }: AttemptContext,
): Promise<Attempt<T>> {
  const { host } = options;
  const at = host.at;
  const origin = call.origins[at % call.origins.length] ?? '';
  const wire: Wire = { metadata: null, response: null };
  try {
    const value = await send(options, call, { origin, signal, wire });
    options.policies.breaker.observe('answered');
    return { ok: true, value, response: wire.response as HttpResponse, origin };
  } catch (error) {
    signal.throwIfAborted();
    const fault = call.translate(error);
    if (!(fault instanceof ExchangeAPIError)) throw fault;
    options.policies.breaker.observe(fault.code);
    const elsewhere = hostAfter(fault, call, at);
    if (elsewhere !== null && host.at === at) host.at = elsewhere.at;
    const decision = elsewhere?.isFree ? retryElsewhere(fault) : await decideNext(options, call, { fault, progress });
    return { ok: false, fault, decision, response: wire.response, origin };
  } finally {
    passage.leave();
    await passage.grant.settle(wire.metadata);
  }
}

/** What came over the wire so far. */
interface Wire {
  metadata: ResponseMetadata | null;
  response: HttpResponse | null;
}

async function send<T>(
  { clock, attemptTimeoutMs }: PageOptions,
  call: PageCall<T>,
  { origin, signal, wire }: { readonly origin: string; readonly signal: AbortSignal; readonly wire: Wire },
): Promise<T> {
  const timeoutError = (): Error => timeoutOf(call, attemptTimeoutMs);
  const sentAtMs = clock.nowMs();
  const response = await withTimeLimit(
    clock,
    { limitMs: attemptTimeoutMs, timeoutError, outer: signal },
    (attemptSignal) => call.send(origin, attemptSignal),
  );
  const dateMs = Date.parse(response.headers['date'] ?? '');
  wire.response = response;
  wire.metadata = {
    sentAtMs,
    answeredAtMs: clock.nowMs(),
    dateMs: Number.isNaN(dateMs) ? null : dateMs,
    used: call.usedWeight(response),
  };
  return call.read(response);
}

/** The table's decision, what it asks of every other page, and whether the venue's budget pays for it. */
async function decideNext<T>(
  options: PageOptions,
  call: PageCall<T>,
  { fault, progress }: { readonly fault: ExchangeAPIError; readonly progress: PageProgress },
): Promise<RetryDecision> {
  const { clock, policies: guards } = options;
  const { code } = fault;
  const { consequence } = ruleOf(code);
  progress.triesByCode[code] = (progress.triesByCode[code] ?? 0) + 1;
  const { triesByCode, requests } = progress;
  const history = {
    triesByCode,
    requests,
    elapsedMs: elapsedMs(options, progress),
    deadlineMs: options.deadlineMs,
    requestsMax: call.requestsMax,
  };
  const decision = decide(fault, history, options.random.next());
  const waitMs = decision.do === 'retry' ? decision.waitMs : decision.notBeforeInMs;
  if (consequence === 'parked' && waitMs !== null) await guards.gate.close({ code, untilMs: clock.nowMs() + waitMs });
  if (consequence === 'run-stops') await guards.halts.engage(fault, call.runId);
  if (decision.do === 'stop') return decision;
  const tokens = retryTokens(code);
  if (!(await guards.budget.spend(tokens)))
    return { do: 'stop', why: 'budget', notBeforeInMs: Math.max(decision.waitMs, EMPTY_BUDGET_WAIT_MS) };
  progress.tokens += tokens;
  return decision;
}

/** Where the next request goes after a fault of the host at `at`; null to stay. Only a refused region moves on without a try of its code. */
function hostAfter<T>(
  fault: ExchangeAPIError,
  call: PageCall<T>,
  at: number,
): { readonly at: number; readonly isFree: boolean } | null {
  if (fault.code === 'CONNECTION_FAILED') return { at: at + 1, isFree: false };
  const unrestricted = call.unrestrictedOrigin === null ? -1 : call.origins.indexOf(call.unrestrictedOrigin);
  const isRefusedRegion = fault.facts.status === 451 && unrestricted >= 0 && at % call.origins.length !== unrestricted;
  return isRefusedRegion ? { at: unrestricted, isFree: true } : null;
}

const retryElsewhere = (fault: ExchangeAPIError): RetryDecision => ({
  do: 'retry',
  waitMs: 0,
  tries: 1,
  triesMax: ruleOf(fault.code).triesMax + 1,
});

const timeoutOf = <T>(call: PageCall<T>, attemptTimeoutMs: number): RequestTimeoutError =>
  new RequestTimeoutError(`${call.exchange} did not answer completely within ${attemptTimeoutMs} ms`, {
    exchange: call.exchange,
    status: null,
    venueCode: null,
    retryAfterMs: null,
  });

const labelOf = <T>({ label, exchange, runId }: PageCall<T>): LogFields => ({ ...label, exchange, run: runId });

interface FailureToLog extends Pick<AttemptFailure, 'fault' | 'decision' | 'request' | 'origin'> {
  readonly atMs: number;
  /** From the request to the end of its answer, or to what came instead. */
  readonly durationMs: number;
}

/** One line for each failed attempt: all that is known of it, for whoever has nothing but the log. */
function logFailure<T>(
  log: Log,
  call: PageCall<T>,
  { fault, decision, request, origin, atMs, durationMs }: FailureToLog,
): void {
  const waitMs = decision.do === 'retry' ? decision.waitMs : decision.notBeforeInMs;
  const { status, venueCode, retryAfterMs } = fault.facts;
  const fields = {
    ...labelOf(call),
    event: 'fault',
    code: fault.code,
    kind: ruleOf(fault.code).kind,
    status,
    venueCode,
    retryAfterMs,
    origin,
    request,
    durationMs,
    decision: decision.do,
    waitMs,
    nextAttemptAt: waitMs === null ? null : new Date(atMs + waitMs).toISOString(),
  };
  if (decision.do === 'retry')
    log.warn(`${fault.message}; try ${decision.tries} of ${decision.triesMax}, next in ${decision.waitMs} ms`, {
      ...fields,
      try: decision.tries,
      triesMax: decision.triesMax,
    });
  else log.warn(`${fault.message}; no further try (${decision.why})`, { ...fields, why: decision.why });
}
