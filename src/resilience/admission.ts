import type { Clock } from '../platform/ports/clock.ts';
import { exchangeError, type ExchangeAPIError } from '../errors/errors.ts';
import { SLEEP_MS_MAX } from '../errors/table.ts';
import type { Closure, Grant, ResiliencePolicies } from './policies.ts';

/** What lets one attempt through, or why it is not made. */
export type Admission =
  | { readonly ok: true; readonly grant: Grant; readonly leave: () => void }
  | {
      readonly ok: false;
      readonly why: 'permanent' | 'parked' | 'breaker';
      readonly fault: ExchangeAPIError;
      /** When asking makes sense again, wall clock; null when a person must do something first. */
      readonly untilMs: number | null;
    };

export interface AdmissionRequest {
  readonly clock: Clock;
  readonly policies: ResiliencePolicies;
  readonly exchange: string;
  /** Names the page among all processes. */
  readonly page: string;
  readonly symbol: string | null;
  readonly weight: number;
}

/** So often a page may be held back after the limiter made it wait. */
const ROUNDS_MAX = 20;

/**
 * Brings one attempt past all guards. The slot is taken before the weight: what the limiter grants is
 * good at once and must not wait again. What may have changed while we waited is looked at once more,
 * right before the wire.
 */
export async function admitAttempt(request: AdmissionRequest, signal: AbortSignal): Promise<Admission> {
  const { policies: guards, clock } = request;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const refused =
      (await refusedByOrder(request)) ??
      (await refusedByBreaker(request, signal)) ??
      (await refusedByGate(request, signal));
    if (refused !== null) return refused;
    const leave = await guards.slots.take(signal);
    try {
      const grant = await guards.limiter.take(request.weight, signal);
      if (await mayStillAsk(request)) return { ok: true, grant, leave };
      await grant.giveBack();
      leave();
    } catch (error) {
      leave();
      throw error;
    }
  }
  return parked(request, { code: 'EXCHANGE_RATE_LIMITED', untilMs: clock.nowMs() + SLEEP_MS_MAX });
}

const mayStillAsk = async ({ policies: guards, page, symbol }: AdmissionRequest): Promise<boolean> =>
  (await guards.halts.standing()) === null &&
  (await guards.breaker.admit(page, symbol)) === null &&
  (await guards.gate.isOpen());

async function refusedByOrder({ policies: guards }: AdmissionRequest): Promise<Admission | null> {
  const fault = await guards.halts.standing();
  return fault === null ? null : { ok: false, why: 'permanent', fault, untilMs: null };
}

/** A page waits out one pause of the breaker and what the probe after it finds; when that was nothing, it is not asked. */
async function refusedByBreaker(
  { clock, policies: guards, exchange, page, symbol }: AdmissionRequest,
  signal: AbortSignal,
): Promise<Admission | null> {
  let hasPaused = false;
  for (;;) {
    const closure = await guards.breaker.admit(page, symbol);
    if (closure === null) return null;
    if (closure.phase === 'open' && hasPaused) {
      const message = `${exchange} does not answer; it is not asked before ${new Date(closure.untilMs).toISOString()}`;
      return {
        ok: false,
        why: 'breaker',
        fault: faultOf(exchange, closure, { message, nowMs: clock.nowMs() }),
        untilMs: closure.untilMs,
      };
    }
    hasPaused ||= closure.phase === 'open';
    await clock.sleep(closure.untilMs - clock.nowMs(), signal);
  }
}

async function refusedByGate(request: AdmissionRequest, signal: AbortSignal): Promise<Admission | null> {
  const closure = await request.policies.gate.pass(signal);
  return closure === null ? null : parked(request, closure);
}

function parked({ clock, exchange }: AdmissionRequest, closure: Closure): Admission {
  const message = `${exchange} wants to be left alone until ${new Date(closure.untilMs).toISOString()}`;
  return {
    ok: false,
    why: 'parked',
    fault: faultOf(exchange, closure, { message, nowMs: clock.nowMs() }),
    untilMs: closure.untilMs,
  };
}

const faultOf = (
  exchange: string,
  { code, untilMs }: Closure,
  { message, nowMs }: { readonly message: string; readonly nowMs: number },
): ExchangeAPIError =>
  exchangeError(code, message, { exchange, status: null, venueCode: null, retryAfterMs: Math.max(0, untilMs - nowMs) });
