import type { Operation } from '../platform/ports/store.ts';
import { all, exec, first } from '../platform/statements.ts';
import type { Exchange } from '../domain/exchange.ts';
import type { FaultCode } from '../errors/table.ts';

/**
 * Stops all requests to exchanges, after a fault that further requests would make worse, such as a rejected key. It
 * holds for one configuration: correcting the configuration, or `resume`, ends it.
 */
export interface Halt {
  readonly id: string;
  /** Hash of the effective configuration under which the fault occurred, secrets included. */
  readonly configuration: string;
  readonly exchange: Exchange;
  readonly code: FaultCode;
  readonly message: string;
  /** The run in which it occurred. */
  readonly runId: string | null;
  readonly givenAtMs: number;
}

interface HaltRow {
  readonly id: string;
  readonly configuration: string;
  readonly exchange: Exchange;
  readonly code: FaultCode;
  readonly message: string;
  readonly run_id: string | null;
  readonly given_at: number;
}

const COLUMNS = 'id, configuration, exchange, code, message, run_id, given_at';

/** Does nothing while a halt of this configuration is in force. */
export function* recordHalt(halt: Halt): Operation<void> {
  if ((yield* standingHalt(halt.configuration)) !== null) return;
  yield* exec(
    `insert into stops (id, configuration, exchange, code, message, run_id, given_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    halt.id,
    halt.configuration,
    halt.exchange,
    halt.code,
    halt.message,
    halt.runId,
    halt.givenAtMs,
  );
}

export function* standingHalt(configuration: string): Operation<Halt | null> {
  const row = yield* first<HaltRow>(
    `select ${COLUMNS} from stops where configuration = $1 and lifted_at is null`,
    configuration,
  );
  return row === null ? null : toHalt(row);
}

/** Lifts the halts of all configurations and returns those that were in force. */
export function* liftHalts(nowMs: number): Operation<readonly Halt[]> {
  const rows = yield* all<HaltRow>(`select ${COLUMNS} from stops where lifted_at is null order by given_at`);
  yield* exec('update stops set lifted_at = $1 where lifted_at is null', nowMs);
  return rows.map(toHalt);
}

const toHalt = ({ run_id, given_at, ...row }: HaltRow): Halt => ({ ...row, runId: run_id, givenAtMs: given_at });
