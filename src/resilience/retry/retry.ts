import type { PipelineError } from '../../errors/errors.ts';
import { ruleOf } from '../../errors/table.ts';
import type { Clock } from '../../platform/ports/clock.ts';
import type { Log, LogFields } from '../../platform/ports/log.ts';
import type { Random } from '../../platform/ports/random.ts';
import { decide, type RetryDecision, type RetryPolicy, type StopReason } from './decide.ts';

/** An attempt that failed, and what follows it. */
export interface FailedAttempt<E extends PipelineError = PipelineError> {
  readonly fault: E;
  readonly decision: RetryDecision;
}

/** How one attempt ended: with the value of the work, or with a fault and the decision about it. */
export type AttemptResult<T, F extends FailedAttempt> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failed: F };

export type RetryResult<T, F extends FailedAttempt> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly last: F;
      readonly why: Exclude<StopReason, 'cancelled'>;
      /** Not to be tried again before this wall-clock time; null when the decision names none. */
      readonly notBeforeMs: number | null;
    };

export interface RetryOptions<F extends FailedAttempt> {
  readonly clock: Clock;
  readonly log: Log;
  /** Called for every failed attempt before its log line and before any wait. Attempts count from 1. */
  readonly onFailure: (failed: F, attempt: number) => Promise<void>;
  /** What the log line says beside the code and the decision. */
  readonly logFields: (failed: F, attempt: number) => LogFields;
}

/**
 * Repeats `attempt` until it succeeds or its decision is to stop. This is the only loop that retries a failed
 * attempt: exchanges and the Hub differ in what an attempt is and in who decides.
 * @throws the signal's reason when cancelled, and whatever `attempt` throws: a defect is not retried.
 */
export async function retry<T, F extends FailedAttempt>(
  attempt: () => Promise<AttemptResult<T, F>>,
  { clock, log, onFailure, logFields }: RetryOptions<F>,
  signal: AbortSignal,
): Promise<RetryResult<T, F>> {
  for (let attempts = 1; ; attempts++) {
    const result = await attempt();
    if (result.ok) return result;
    const { failed } = result;
    const { decision } = failed;
    const failedAtMs = clock.nowMs();
    await onFailure(failed, attempts);
    logFailure(log, failed, { ...logFields(failed, attempts), ...decisionFields(decision, failedAtMs) });
    if (decision.do === 'stop') {
      const { why, notBeforeInMs } = decision;
      return { ok: false, last: failed, why, notBeforeMs: notBeforeInMs === null ? null : failedAtMs + notBeforeInMs };
    }
    await clock.sleep(decision.waitMs, signal);
  }
}

export interface AttemptOptions<E extends PipelineError> {
  readonly random: Random;
  /** The fault behind what the work threw. @throws the error itself when it is none. */
  readonly faultOf: (error: unknown) => E;
  /** Null when another attempt cannot succeed. */
  readonly policyOf: (fault: E) => RetryPolicy | null;
  readonly hintMsOf: (fault: E) => number | null;
  readonly signal: AbortSignal;
}

/** Turns `work` into attempts that share one counter and have no deadline. */
export function attemptsOf<T, E extends PipelineError>(
  work: () => Promise<T>,
  { random, faultOf, policyOf, hintMsOf, signal }: AttemptOptions<E>,
): () => Promise<AttemptResult<T, FailedAttempt<E>>> {
  let tries = 0;
  return async () => {
    try {
      return { ok: true, value: await work() };
    } catch (error) {
      signal.throwIfAborted();
      const fault = faultOf(error);
      tries += 1;
      const history = {
        tries,
        attempts: tries,
        attemptsMax: Infinity,
        elapsedMs: 0,
        deadlineMs: Infinity,
        hintMs: hintMsOf(fault),
      };
      return { ok: false, failed: { fault, decision: decide(policyOf(fault), history, random.next()) } };
    }
  };
}

/** Milliseconds until the next attempt, or until work that stopped may be requested again; null without either. */
export const waitMsOf = (decision: RetryDecision): number | null =>
  decision.do === 'retry' ? decision.waitMs : decision.notBeforeInMs;

/** The decision in one word: `retry`, or why the attempts stop. */
export const outcomeOf = (decision: RetryDecision): 'retry' | Exclude<StopReason, 'cancelled'> =>
  decision.do === 'retry' ? 'retry' : decision.why;

function decisionFields(decision: RetryDecision, failedAtMs: number): LogFields {
  const waitMs = waitMsOf(decision);
  return {
    decision: decision.do,
    waitMs,
    nextAttemptAt: waitMs === null ? null : new Date(failedAtMs + waitMs).toISOString(),
    ...(decision.do === 'retry' ? { try: decision.tries, triesMax: decision.triesMax } : { why: decision.why }),
  };
}

/** Why the attempts stop, for people. */
const STOPPED: Readonly<Record<Exclude<StopReason, 'cancelled'>, string>> = {
  tries: 'attempts exhausted',
  deadline: 'the next attempt would pass the deadline',
  permanent: 'another attempt cannot succeed',
  budget: 'the retry budget is empty',
  parked: 'parked until the wait is over',
  breaker: 'the circuit breaker is open',
};
export const stopText = (why: Exclude<StopReason, 'cancelled'>): string => STOPPED[why];

/** One line for each failed attempt, which holds everything known about it. */
function logFailure(log: Log, { fault, decision }: FailedAttempt, fields: LogFields): void {
  const next =
    decision.do === 'retry'
      ? `try ${decision.tries} of ${decision.triesMax}, next in ${decision.waitMs} ms`
      : `giving up: ${stopText(decision.why)}`;
  log.warn(`${fault.message}; ${next}`, { event: 'fault', ...fields, code: fault.code, kind: ruleOf(fault.code).kind });
}
