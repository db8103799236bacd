import type { Clock } from '../../platform/ports/clock.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { HttpPort, HttpResponse } from '../../platform/ports/http.ts';
import type { Log, LogFields } from '../../platform/ports/log.ts';
import type { Random } from '../../platform/ports/random.ts';
import { ExchangeAPIError, RequestTimeoutError } from '../../errors/errors.ts';
import { EMPTY_BUDGET_WAIT_MS } from '../../errors/schedule.ts';
import { ruleOf, type FaultCode } from '../../errors/table.ts';
import { admitAttempt, type Admission, type Refusal } from '../admission.ts';
import type { ResiliencePolicies, ResponseMetadata, PageEnd } from '../policies.ts';
import type { WeightedRequest } from '../rate-limit/rate-limit.ts';
import { decide, retryPolicyOf, type RetryDecision } from './decide.ts';
import { hosts, type Hosts } from './hosts.ts';
import type { AttemptFailure, PageCall, PageRead, PageResult, PageStop } from './page-call.ts';
import { retry, stopText, waitMsOf, type AttemptResult } from './retry.ts';
import { RESPONSE_TOKENS, retryTokens } from './retry-budget.ts';

export interface ExecutorOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly http: HttpPort;
  readonly log: Log;
  readonly policies: ResiliencePolicies;
  /** For one attempt, headers and body together. */
  readonly attemptTimeoutMs: number;
  /** For one page, from the start of its first attempt. */
  readonly deadlineMs: number;
}

export interface Executor {
  /**
   * Sends a page's request until there is a usable response or the fault table says stop. A failure is returned;
   * a cancellation rejects with the signal's reason, a defect with its error.
   */
  execute<T>(call: PageCall<T>, signal: AbortSignal): Promise<PageResult<T>>;
}

/**
 * Requests to one exchange under all policies. Outside in: deadline > retry > halt > breaker > gate > concurrency
 * limit > rate limiter > attempt timeout > transport; every attempt passes all of them.
 */
export function createExecutor(options: ExecutorOptions): Executor {
  const shared = { ...options, hosts: hosts() };
  return {
    execute: async (call, signal) => {
      const page = pageName(options.random);
      let end: PageEnd['as'] = 'undecided';
      try {
        const result = await executePage({ ...shared, page }, call, signal);
        end = endOf(result);
        return result;
      } finally {
        await options.policies.breaker.record(page, { symbol: call.symbol, as: end });
      }
    },
  };
}

const pageName = (random: Random): string => Math.floor(random.next() * Number.MAX_SAFE_INTEGER).toString(36);

/** A page that was not requested, or was parked, does not show whether the exchange responds. */
const endOf = (result: PageResult<unknown>): PageEnd['as'] => {
  if (result.ok) return 'answered';
  return result.requests === 0 || result.why === 'parked' ? 'undecided' : result.fault.code;
};

/** `page`: the page's name among all processes. */
type PageOptions = ExecutorOptions & { readonly hosts: Hosts; readonly page: string };

/** Attempts and budget spent on one page. */
interface PageProgress {
  readonly triesByCode: Partial<Record<FaultCode, number>>;
  requests: number;
  firstAttemptAtMs: number | null;
  /** Spent from the retry budget. */
  tokens: number;
}

async function executePage<T>(options: PageOptions, call: PageCall<T>, signal: AbortSignal): Promise<PageResult<T>> {
  const progress: PageProgress = { triesByCode: {}, requests: 0, firstAttemptAtMs: null, tokens: 0 };
  let last: ExchangeAPIError | null = null;
  const attempt = async (): Promise<AttemptResult<PageResult<T>, AttemptFailure>> => {
    const admission = await admitAttempt(admissionOf(options, call), signal);
    if (!admission.ok) return { ok: true, value: refusedPage(options, call, { admission, progress }) };
    if (last !== null && elapsedMs(options, progress) > options.deadlineMs) {
      admission.leave();
      await admission.grant.giveBack();
      return { ok: true, value: pastDeadline(options, last, progress) };
    }
    const result = await attemptPage(options, call, { admission, progress, signal });
    if (result.ok) await options.policies.budget.refund(Math.max(progress.tokens, RESPONSE_TOKENS));
    else last = result.failed.fault;
    return result;
  };
  const result = await retry(
    attempt,
    {
      clock: options.clock,
      log: options.log,
      onFailure: call.onFailure,
      logFields: (failed) => failureFields(call, failed),
    },
    signal,
  );
  if (result.ok) return result.value;
  const { why, notBeforeMs } = result;
  return { ok: false, fault: result.last.fault, why, requests: progress.requests, notBeforeMs, retryAtMs: null };
}

const elapsedMs = ({ clock }: PageOptions, { firstAttemptAtMs }: PageProgress): number =>
  clock.monotonicMs() - (firstAttemptAtMs ?? clock.monotonicMs());

type AddressedRequest = WeightedRequest & { readonly origin: string };

const admissionOf = <T>({ clock, policies, hosts: choice, page }: PageOptions, call: PageCall<T>) => ({
  clock,
  policies,
  exchange: call.exchange,
  page,
  symbol: call.symbol,
  requestNow: (): AddressedRequest => {
    const origin = choice.current(call);
    return { ...call.request(origin, clock.nowMs()), origin };
  },
});

function refusedPage<T>(
  { log }: PageOptions,
  call: PageCall<T>,
  { admission, progress }: { readonly admission: Refusal; readonly progress: PageProgress },
): PageStop {
  const { fault, why, untilMs } = admission;
  log.warn(`${fault.message}; no request sent: ${stopText(why)}`, { ...labelOf(call), code: fault.code, why });
  return {
    ok: false,
    fault,
    why,
    requests: progress.requests,
    notBeforeMs: why === 'parked' ? untilMs : null,
    retryAtMs: why === 'breaker' ? untilMs : null,
  };
}

const pastDeadline = ({ clock }: PageOptions, fault: ExchangeAPIError, { requests }: PageProgress): PageStop => ({
  ok: false,
  fault,
  why: 'deadline',
  requests,
  notBeforeMs: clock.nowMs(),
  retryAtMs: null,
});

interface AttemptContext {
  readonly admission: Extract<Admission<AddressedRequest>, { readonly ok: true }>;
  readonly progress: PageProgress;
  readonly signal: AbortSignal;
}

/** A response with its metadata. */
interface ReceivedResponse {
  readonly response: HttpResponse;
  readonly metadata: ResponseMetadata;
}

/** One admitted attempt. Gate, halt and breaker are updated before the slot is free for another page. */
async function attemptPage<T>(
  options: PageOptions,
  call: PageCall<T>,
  { admission, progress, signal }: AttemptContext,
): Promise<AttemptResult<PageRead<T>, AttemptFailure>> {
  const { clock, policies } = options;
  const { origin, url } = admission.request;
  const sentAtMs = clock.monotonicMs();
  let received: ReceivedResponse | null = null;
  progress.firstAttemptAtMs ??= sentAtMs;
  progress.requests += 1;
  const { requests } = progress;
  try {
    received = await receive(options, call, { admission, signal });
    const { response, metadata } = received;
    const value = call.read(response, metadata.answeredAtMs);
    policies.breaker.observe('answered');
    const { answeredAtMs } = metadata;
    return { ok: true, value: { ok: true, value, response, origin, url, answeredAtMs, requests } };
  } catch (error) {
    signal.throwIfAborted();
    const fault = error instanceof ExchangeAPIError ? error : call.translate(error);
    if (fault === null) throw error;
    policies.breaker.observe(fault.code);
    const decision =
      options.hosts.leaveAfter(fault, origin, call) === 'free'
        ? retryElsewhere(fault)
        : await decideNext(options, call, { fault, progress });
    const durationMs = Math.round(clock.monotonicMs() - sentAtMs);
    const response = received?.response ?? null;
    return { ok: false, failed: { fault, decision, request: requests, origin, url, durationMs, response } };
  } finally {
    admission.leave();
    await admission.grant.settle(received?.metadata ?? null);
  }
}

async function receive<T>(
  { clock, http, attemptTimeoutMs }: PageOptions,
  call: PageCall<T>,
  { admission, signal }: Pick<AttemptContext, 'admission' | 'signal'>,
): Promise<ReceivedResponse> {
  const timeoutError = (): Error => timeoutOf(call, attemptTimeoutMs);
  const sentAtMs = clock.nowMs();
  const response = await withTimeLimit(
    clock,
    { limitMs: attemptTimeoutMs, timeoutError, outer: signal },
    (attemptSignal) => http.get(admission.request, attemptSignal),
  );
  const dateMs = Date.parse(response.headers['date'] ?? '');
  const metadata = {
    sentAtMs,
    answeredAtMs: clock.nowMs(),
    dateMs: Number.isNaN(dateMs) ? null : dateMs,
    used: call.usedWeight(response),
  };
  return { response, metadata };
}

/** The decision of the fault table, applied to gate, halt and retry budget. */
async function decideNext<T>(
  options: PageOptions,
  call: PageCall<T>,
  { fault, progress }: { readonly fault: ExchangeAPIError; readonly progress: PageProgress },
): Promise<RetryDecision> {
  const { clock, policies } = options;
  const { code } = fault;
  const { consequence } = ruleOf(code);
  const tries = (progress.triesByCode[code] ?? 0) + 1;
  progress.triesByCode[code] = tries;
  const history = {
    tries,
    attempts: progress.requests,
    attemptsMax: call.requestsMax,
    elapsedMs: elapsedMs(options, progress),
    deadlineMs: options.deadlineMs,
    hintMs: fault.facts.retryAfterMs,
  };
  const decision = decide(retryPolicyOf(code), history, options.random.next());
  const waitMs = waitMsOf(decision);
  if (consequence === 'parked' && waitMs !== null) await policies.gate.close({ code, untilMs: clock.nowMs() + waitMs });
  if (consequence === 'run-stops') await policies.halts.engage(fault, call.runId);
  if (decision.do === 'stop') return decision;
  const tokens = retryTokens(code);
  if (!(await policies.budget.spend(tokens)))
    return { do: 'stop', why: 'budget', notBeforeInMs: Math.max(decision.waitMs, EMPTY_BUDGET_WAIT_MS) };
  progress.tokens += tokens;
  return decision;
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

function failureFields<T>(call: PageCall<T>, { fault, origin, request, durationMs }: AttemptFailure): LogFields {
  const { status, venueCode, retryAfterMs } = fault.facts;
  return { ...labelOf(call), status, venueCode, retryAfterMs, origin, request, durationMs };
}
