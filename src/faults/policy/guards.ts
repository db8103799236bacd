/**
 * What every attempt passes before it reaches the wire, outermost first: breaker, venue gate, rate
 * limiter, concurrency limit. Each place takes one implementation; `openGuards` lets everything pass.
 */
export interface Guards {
  /** Throws the fault that opened it while it is open. */
  readonly breaker: Breaker;
  readonly gate: Gate;
  readonly limiter: Limiter;
  readonly slots: Slots;
}

export interface Breaker {
  check(): void;
  record(isSuccess: boolean): void;
}

/** Closed by a venue's word for everybody who asks that venue. */
export interface Gate {
  /** Resolves when the venue may be asked. @throws the signal's reason. */
  pass(signal: AbortSignal): Promise<void>;
  closeFor(waitMs: number): void;
}

export interface Limiter {
  /** Resolves when `weight` may be spent. First come, first served. @throws the signal's reason. */
  take(weight: number, signal: AbortSignal): Promise<void>;
  /** What an answer says was used in the window it was counted in, by limit name; its request left at `sentAtMs` (wall clock). */
  observe(usedByName: Readonly<Record<string, number>>, sentAtMs: number): void;
}

export interface Slots {
  run<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T>;
}

export const openGuards: Guards = {
  breaker: { check: () => undefined, record: () => undefined },
  gate: { pass: () => Promise.resolve(), closeFor: () => undefined },
  limiter: { take: () => Promise.resolve(), observe: () => undefined },
  slots: { run: (_signal, work) => work() },
};
