import type { Ports } from '../../platform/ports/ports.ts';
import { recordHalt, standingHalt, type Halt } from '../../state/halts.ts';
import type { HaltSwitch } from '../../resilience/policies.ts';
import { UnauthorizedError } from '../../errors/errors.ts';

/** The durable halt of one data directory. Every process checks it before every attempt. */
export function durableHalt({ store, ids, clock }: Ports, configuration: string): HaltSwitch {
  return {
    standing: async () => {
      const halt = await store.read(standingHalt, configuration);
      return halt === null ? null : faultOfHalt(halt);
    },
    engage: (fault, runId) => {
      const { code, facts, message } = fault;
      return store.transact(recordHalt, {
        id: ids.next('stop'),
        configuration,
        exchange: facts.exchange,
        code,
        message,
        runId,
        givenAtMs: clock.nowMs(),
      });
    },
  };
}

const faultOfHalt = ({ exchange, message, givenAtMs }: Halt): UnauthorizedError =>
  new UnauthorizedError(
    `requests to every exchange are halted since ${new Date(givenAtMs).toISOString()}: ${message}; ` +
      'correct the configuration or run candlekeep resume',
    { exchange, status: null, venueCode: null, retryAfterMs: null },
  );
