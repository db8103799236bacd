import { brokenReply, type ErrorBody } from '../../../src/simulation/stand-ins/broken-response.ts';
import { faultChooser, NO_FAULTS, type FaultPlan } from '../../../src/simulation/fault-plan.ts';
import type { ResponseReply, StandInHandler, StandInRequest } from '../../../src/simulation/stand-ins/reply.ts';

/** A message that an alert channel accepted. */
export interface Received<T> {
  readonly atMs: number;
  readonly message: T;
  readonly headers: Readonly<Record<string, string>>;
}

export interface StandInChannel<T> {
  readonly handle: StandInHandler;
  /** Accepted messages in order, including those whose response was lost. */
  readonly received: readonly Received<T>[];
  /** Status of every response, in order; 0 where none was sent. */
  readonly statuses: readonly number[];
  plan(plan: FaultPlan): void;
}

export interface ChannelRules<T> {
  /** The message of a valid request, or the refusal of an invalid one. */
  readonly read: (
    request: StandInRequest,
    nowMs: number,
  ) => { readonly message: T } | { readonly refusal: ResponseReply };
  readonly taken: (message: T) => ResponseReply;
  readonly errorBody: ErrorBody;
  readonly plan?: FaultPlan;
}

/** Faults whose request takes effect before the response is lost. */
const TAKEN_ALL_THE_SAME = new Set(['answer-lost', 'slow', 'cut']);

export function standInChannel<T>({ read, taken, errorBody, plan = NO_FAULTS }: ChannelRules<T>): StandInChannel<T> {
  const received: Received<T>[] = [];
  const statuses: number[] = [];
  let choose = faultChooser(plan);
  return {
    received,
    statuses,
    plan: (next) => {
      choose = faultChooser(next);
    },
    handle: (request, nowMs) => {
      const fault = choose({ path: request.path, candles: null, nowMs });
      const verdict = read(request, nowMs);
      const isTaken = 'message' in verdict && (fault === null || TAKEN_ALL_THE_SAME.has(fault.kind));
      if (isTaken) received.push({ atMs: nowMs, message: verdict.message, headers: request.headers });
      const response = 'message' in verdict ? taken(verdict.message) : verdict.refusal;
      const reply = fault === null ? response : brokenReply(response, fault, { nowMs, errorBody });
      statuses.push(reply.kind === 'answer' ? reply.status : 0);
      return reply;
    },
  };
}

/** The JSON in a request's body; null where there is none. */
export function jsonOf(request: StandInRequest): unknown {
  try {
    return JSON.parse(Buffer.from(request.body).toString('utf8')) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
