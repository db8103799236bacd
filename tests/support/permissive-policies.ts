import type { ResiliencePolicies } from '../../src/resilience/policies.ts';

const nothing = (): Promise<void> => Promise.resolve();

/** Admits every attempt and records nothing. */
export const permissivePolicies: ResiliencePolicies = {
  halts: { standing: () => Promise.resolve(null), engage: nothing },
  breaker: { admit: () => Promise.resolve(null), observe: () => undefined, record: nothing },
  gate: {
    pass: () => Promise.resolve(null),
    isOpen: () => Promise.resolve(true),
    opensAtMs: () => Promise.resolve(null),
    close: nothing,
  },
  slots: { take: () => Promise.resolve(() => undefined) },
  limiter: {
    take: () => Promise.resolve({ giveBack: nothing, settle: nothing }),
    learn: nothing,
    knows: () => Promise.resolve(true),
  },
  budget: { spend: () => Promise.resolve(true), refund: nothing },
};
