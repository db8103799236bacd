import type { Ports } from '../../platform/ports/ports.ts';
import { recordHalt, standingHalt, type Halt } from '../../state/halts.ts';
import type { HaltSwitch } from '../../resilience/policies.ts';
import { UnauthorizedError } from '../../errors/errors.ts';

/** The durable stop of one data directory as the executor keeps it: every process looks before every attempt. */
export function durableHalt({ store, ids, clock }: Ports, configuration: string): HaltSwitch {
  return {
    standing: async () => {
      const stop = await store.read('standingStop', () => standingHalt(configuration));
      return stop === null ? null : faultOfStop(stop);
    },
    engage: (fault, runId) => {
      const { code, facts, message } = fault;
      return store.transact('giveStop', () =>
        recordHalt({
          id: ids.next('stop'),
          configuration,
          exchange: facts.exchange,
          code,
          message,
          runId,
          givenAtMs: clock.nowMs(),
        }),
      );
    },
  };
}

const faultOfStop = ({ exchange, message, givenAtMs }: Halt): UnauthorizedError =>
  new UnauthorizedError(
    `no exchange is asked since ${new Date(givenAtMs).toISOString()}: ${message}; correct the configuration or run candlekeep resume`,
    { exchange, status: null, venueCode: null, retryAfterMs: null },
  );
