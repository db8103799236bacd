import type { Clock } from '../platform/ports/clock.ts';
import { exchangeError, type ExchangeAPIError } from '../errors/errors.ts';
import { SLEEP_MS_MAX } from '../errors/schedule.ts';
import type { Closure, Grant, ResiliencePolicies } from './policies.ts';
import type { WeightedRequest } from './rate-limit/rate-limit.ts';

/** Permission for one attempt, or the reason against it. */
export type Admission<R> =
  | {
      readonly ok: true;
      /** To be sent at once. Its weight is the granted one. */
      readonly request: R;
      readonly grant: Grant;
      readonly leave: () => void;
    }
  | Refusal;

export interface Refusal {
  readonly ok: false;
  readonly why: 'permanent' | 'parked' | 'breaker';
  readonly fault: ExchangeAPIError;
  /** When a request makes sense again, wall clock; null when a person must do something first. */
  readonly untilMs: number | null;
}

export interface AdmissionRequest<R extends WeightedRequest> {
  readonly clock: Clock;
  readonly policies: ResiliencePolicies;
  readonly exchange: string;
  /** Names the page among all processes. */
  readonly page: string;
  readonly symbol: string | null;
  /** The request as it would be sent now. Pure: it is made before the limiter's wait and again after it. */
  readonly requestNow: () => R;
}

/** Rounds of taking and returning a grant, after which a page is parked. */
const ROUNDS_MAX = 20;

/**
 * Admits one attempt under all policies. The place under the concurrency limit is taken before the weight, because
 * granted weight must be spent immediately. After the wait for weight, the policies are checked again and the request
 * is made again. If its weight has changed, the grant is given back and a new one is taken.
 */
export async function admitAttempt<R extends WeightedRequest>(
  attempt: AdmissionRequest<R>,
  signal: AbortSignal,
): Promise<Admission<R>> {
  const { policies, clock } = attempt;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const refused =
      (await refusedByHalt(attempt)) ??
      (await refusedByBreaker(attempt, signal)) ??
      (await refusedByGate(attempt, signal));
    if (refused !== null) return refused;
    const leave = await policies.slots.take(signal);
    try {
      const { weight } = attempt.requestNow();
      const grant = await policies.limiter.take(weight, signal);
      const mayBeSent = await isStillAdmitted(attempt);
      const request = attempt.requestNow();
      if (mayBeSent && request.weight === weight) return { ok: true, request, grant, leave };
      await grant.giveBack();
      leave();
    } catch (error) {
      leave();
      throw error;
    }
  }
  const closure: Closure = { code: 'EXCHANGE_RATE_LIMITED', untilMs: clock.nowMs() + SLEEP_MS_MAX };
  return parked(attempt, closure, `${attempt.exchange}: no grant could be used in ${ROUNDS_MAX} rounds`);
}

type Attempt = Omit<AdmissionRequest<WeightedRequest>, 'requestNow'>;

const isStillAdmitted = async ({ policies, page, symbol }: Attempt): Promise<boolean> =>
  (await policies.halts.standing()) === null &&
  (await policies.breaker.admit(page, symbol)) === null &&
  (await policies.gate.isOpen());

async function refusedByHalt({ policies }: Attempt): Promise<Refusal | null> {
  const fault = await policies.halts.standing();
  return fault === null ? null : { ok: false, why: 'permanent', fault, untilMs: null };
}

/** A page waits for one pause of the breaker and for its probe, and is refused if the probe fails. */
async function refusedByBreaker(
  { clock, policies, exchange, page, symbol }: Attempt,
  signal: AbortSignal,
): Promise<Refusal | null> {
  let hasPaused = false;
  for (;;) {
    const closure = await policies.breaker.admit(page, symbol);
    if (closure === null) return null;
    if (closure.phase === 'open' && hasPaused) {
      const message = `${exchange} does not respond; no request before ${new Date(closure.untilMs).toISOString()}`;
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

async function refusedByGate(attempt: Attempt, signal: AbortSignal): Promise<Refusal | null> {
  const closure = await attempt.policies.gate.pass(signal);
  return closure === null ? null : parked(attempt, closure, `${attempt.exchange} paused our requests`);
}

function parked({ clock, exchange }: Attempt, closure: Closure, reason: string): Refusal {
  const message = `${reason}; no request before ${new Date(closure.untilMs).toISOString()}`;
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
