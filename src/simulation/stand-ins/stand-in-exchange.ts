import type { FaultCode } from '../../errors/table.ts';
import { brokenReply, brokenRows, type ErrorBody } from './broken-response.ts';
import {
  codeOfFault,
  faultChooser,
  NO_FAULTS,
  type RequestedCandles,
  type FaultPlan,
  type FaultSpec,
} from '../fault-plan.ts';
import type { ResponseReply, StandInHandler, StandInReply, StandInRequest } from './reply.ts';
import type { CandleSource } from '../world.ts';
import type { RecordedCandle } from '../recorded-series.ts';

/** One request as the stand-in received it. */
export interface RequestEntry {
  readonly atMs: number;
  readonly path: string;
  readonly query: string;
  readonly weight: number;
  /** Null for requests other than for candles. */
  readonly candles: RequestedCandles | null;
  /** 0 when no response was sent. */
  readonly status: number;
  /** The injected fault, if one struck. */
  readonly fault: FaultSpec | null;
  /** The code under which a client must record it; null when it is no fault. */
  readonly code: FaultCode | null;
  /** Sent while the venue had asked for no requests, later than requests under way can arrive. */
  readonly sentWhileClosed: boolean;
  /** Refused by the venue's rate limit, not by the fault plan. */
  readonly overLimit: boolean;
}

/** A stand-in exchange: a handler for any transport, and a log of its requests. */
export interface StandInExchange {
  readonly handle: StandInHandler;
  readonly log: readonly RequestEntry[];
  /** Replaces the fault plan; the log continues. */
  plan(plan: FaultPlan): void;
}

/** The rows of a candle response, in the order sent, after the fault of this request, if any. */
export type BreakRows = (rows: readonly RecordedCandle[]) => readonly (readonly unknown[])[];

/** The differences between venues. */
export interface ExchangeBehaviour {
  readonly errorBody: ErrorBody;
  /** Statuses with a different meaning at this venue. */
  readonly ownStatuses?: Readonly<Record<number, FaultCode>>;
  weightOf(path: string): number;
  /** Charges a request against the venue's limits; refused requests too. */
  charge(
    request: { readonly path: string; readonly weight: number; readonly sentWhileClosed: boolean },
    nowMs: number,
  ): Charge;
  /** The candles that a request asks for, in the venue's spelling; null for other requests. */
  requestedCandles(request: StandInRequest): RequestedCandles | null;
  response(request: StandInRequest, at: { readonly nowMs: number; readonly breakRows: BreakRows }): ResponseReply;
}

export interface Charge {
  /** Headers of every response. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null while the limit lasts. */
  readonly refusal: ResponseReply | null;
}

export interface StandInOptions {
  readonly world: CandleSource;
  readonly plan?: FaultPlan;
}

/** Requests sent before a 429 or 418 was received may arrive this much later. Unit: milliseconds. */
const UNDER_WAY_MS = 100;

/** The shared part of the stand-ins: limits, fault plan, log, and detection of requests sent against a Retry-After. */
export function standInVenue(behaviour: ExchangeBehaviour, plan: FaultPlan = NO_FAULTS): StandInExchange {
  const log: RequestEntry[] = [];
  let choose = faultChooser(plan);
  const closed = { fromMs: 0, untilMs: 0 };

  const handle = (request: StandInRequest, nowMs: number): StandInReply => {
    const weight = behaviour.weightOf(request.path);
    const candles = behaviour.requestedCandles(request);
    const sentWhileClosed = nowMs > closed.fromMs + UNDER_WAY_MS && nowMs < closed.untilMs;
    const charged = behaviour.charge({ path: request.path, weight, sentWhileClosed }, nowMs);
    const fault = charged.refusal === null ? choose({ path: request.path, candles, nowMs }) : null;
    const reply =
      charged.refusal ??
      (fault === null
        ? behaviour.response(request, { nowMs, breakRows: (rows) => rows })
        : faultyResponse(behaviour, request, { fault, candles, nowMs }));
    const sent =
      reply.kind === 'answer'
        ? { ...reply, headers: { ...charged.headers, date: new Date(nowMs).toUTCString(), ...reply.headers } }
        : reply;
    const status = sent.kind === 'answer' ? sent.status : 0;
    if (status === 429 || status === 418)
      close(closed, nowMs, Number((sent as ResponseReply).headers['retry-after'] ?? 0));
    const code = fault === null ? null : codeOfFault(fault, behaviour.ownStatuses);
    log.push({
      atMs: nowMs,
      path: request.path,
      query: request.query.toString(),
      weight,
      candles,
      status,
      fault,
      code,
      sentWhileClosed,
      overLimit: charged.refusal !== null,
    });
    return sent;
  };
  return {
    handle,
    log,
    plan: (next) => {
      choose = faultChooser(next);
    },
  };
}

function faultyResponse(
  behaviour: ExchangeBehaviour,
  request: StandInRequest,
  {
    fault,
    candles,
    nowMs,
  }: { readonly fault: FaultSpec; readonly candles: RequestedCandles | null; readonly nowMs: number },
): StandInReply {
  const requested = candles?.range ?? { fromMs: 0, toMs: Infinity };
  const whole = behaviour.response(request, { nowMs, breakRows: (rows) => brokenRows(rows, fault, requested) });
  return brokenReply(whole, fault, { nowMs, errorBody: behaviour.errorBody });
}

function close(closed: { fromMs: number; untilMs: number }, nowMs: number, retryAfterS: number): void {
  if (nowMs >= closed.untilMs) closed.fromMs = nowMs;
  closed.untilMs = Math.max(closed.untilMs, nowMs + retryAfterS * 1_000);
}
