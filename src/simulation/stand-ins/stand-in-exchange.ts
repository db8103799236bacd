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

/** One request as the stand-in saw it. */
export interface RequestEntry {
  readonly atMs: number;
  readonly path: string;
  readonly query: string;
  readonly weight: number;
  /** Null for a request that asks for no candles. */
  readonly candles: RequestedCandles | null;
  /** 0 when no answer was sent. */
  readonly status: number;
  /** The injected fault, if one struck. */
  readonly fault: FaultSpec | null;
  /** The code a client must find it under; null for no fault and for one that is none. */
  readonly code: FaultCode | null;
  /** Sent later than requests under way can still arrive, although the venue asked to stay away. */
  readonly sentWhileClosed: boolean;
  /** Refused because of the venue's own limit, not by plan. */
  readonly overLimit: boolean;
}

/** A stand-in exchange: a handler for any wire, and what it saw. */
export interface StandInExchange {
  readonly handle: StandInHandler;
  readonly log: readonly RequestEntry[];
  /** Takes another plan from here on; the log goes on. */
  plan(plan: FaultPlan): void;
}

/** Rows of a candle answer, in the order they are sent, after the fault that strikes this request, if one does. */
export type BreakRows = (rows: readonly RecordedCandle[]) => readonly (readonly unknown[])[];

/** What tells one venue from another. */
export interface ExchangeBehaviour {
  readonly errorBody: ErrorBody;
  /** Statuses that mean something else here than everywhere. */
  readonly ownStatuses?: Readonly<Record<number, FaultCode>>;
  weightOf(path: string): number;
  /** Charges a request against the venue's limits, refused ones too. */
  charge(
    request: { readonly path: string; readonly weight: number; readonly sentWhileClosed: boolean },
    nowMs: number,
  ): Charge;
  /** Which candles a request asks for, in the venue's spelling; null for any other request. */
  requestedCandles(request: StandInRequest): RequestedCandles | null;
  response(request: StandInRequest, at: { readonly nowMs: number; readonly breakRows: BreakRows }): ResponseReply;
}

export interface Charge {
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null while the limit lasts. */
  readonly refusal: ResponseReply | null;
}

export interface StandInOptions {
  readonly world: CandleSource;
  readonly plan?: FaultPlan;
}

/** Requests sent before the answer that closed the venue may arrive this much later. Unit: milliseconds. */
const UNDER_WAY_MS = 100;

/** The part every stand-in shares: limits, the fault plan, the log, and who asks although it was told to stay away. */
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
