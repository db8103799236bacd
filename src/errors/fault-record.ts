import { PipelineError, type Facts, type Fault } from './errors.ts';
import { isFaultCode, ruleOf, type AlertLevel, type FaultCode, type FaultKind } from './table.ts';

/**
 * A failure as plain JSON, for the borders of processes, workers, logs and databases, which classes do
 * not survive. `v` is the format's version.
 */
export interface FaultRecord {
  readonly v: 1;
  readonly code: FaultCode;
  readonly kind: FaultKind;
  readonly level: AlertLevel;
  readonly message: string;
  readonly facts: Facts;
  /** `Name: message` of each cause, nearest first. */
  readonly causes: readonly string[];
  /** For defects only: the place in our code says nothing about a fault. */
  readonly stack: string | null;
}

export function toRecord(error: unknown): FaultRecord {
  const code: FaultCode = error instanceof PipelineError ? error.code : 'DEFECT';
  const { kind, level } = ruleOf(code);
  return {
    v: 1,
    code,
    kind,
    level,
    message: Error.isError(error) ? error.message : String(error),
    facts: error instanceof PipelineError ? (error as Fault).facts : {},
    causes: causesOf(error),
    stack: code === 'DEFECT' ? stackOf(error) : null,
  };
}

/** Reads a record back. @throws TypeError for text that is not a record. */
export function fromRecord(json: string): FaultRecord {
  const value = JSON.parse(json) as Partial<FaultRecord> | null;
  if (value?.v !== 1 || typeof value.code !== 'string' || !isFaultCode(value.code))
    throw new TypeError('not a fault record');
  return value as FaultRecord;
}

const CAUSES_MAX = 8;

function causesOf(error: unknown): string[] {
  const causes: string[] = [];
  let cause = Error.isError(error) ? error.cause : undefined;
  while (Error.isError(cause) && causes.length < CAUSES_MAX) {
    const { code } = cause as NodeJS.ErrnoException;
    causes.push(`${cause.name}: ${cause.message}${code === undefined ? '' : ` (${code})`}`);
    cause = cause.cause;
  }
  return causes;
}

function stackOf(error: unknown): string | null {
  if (!Error.isError(error)) return null;
  const inner = Error.isError(error.cause) ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : '';
  return `${error.stack ?? error.message}${inner}`;
}
