import type { FaultCode } from '../faults/taxonomy/table.ts';

/** What a command's process ends with; scripts rely on the numbers. */
export const EXIT = {
  done: 0,
  defect: 1,
  usage: 2,
  partial: 3,
  refused: 4,
  assetFailed: 5,
  dataQuality: 6,
  unreachable: 7,
  undelivered: 8,
  leased: 9,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** If several apply, the first in this order is the process's. */
const PRECEDENCE: readonly ExitCode[] = [130, 143, 1, 2, 9, 4, 7, 5, 6, 8, 3];

export const worstExit = (codes: Iterable<ExitCode>): ExitCode => {
  const all = new Set(codes);
  return PRECEDENCE.find((code) => all.has(code)) ?? EXIT.done;
};

/** The exit code of a command that one fault ended. */
export function exitOfFault(code: FaultCode): ExitCode {
  switch (code) {
    case 'CONFIG_INVALID':
    case 'STATE_UNUSABLE':
    case 'STORAGE_FAILED':
      return EXIT.usage;
    case 'UNAUTHORIZED':
    case 'FORBIDDEN':
      return EXIT.refused;
    case 'CONNECTION_FAILED':
    case 'REQUEST_TIMEOUT':
    case 'EXCHANGE_SERVER_ERROR':
      return EXIT.unreachable;
    case 'SCHEMA_MISMATCH':
      return EXIT.dataQuality;
    case 'CELLS_LEASED':
      return EXIT.leased;
    case 'PUBLISH_FAILED':
    case 'RUN_CRASHED':
      return EXIT.assetFailed;
    case 'ALERT_CHANNEL_BROKEN':
      return EXIT.undelivered;
    case 'DEFECT':
      return EXIT.defect;
    case 'EXCHANGE_RATE_LIMITED':
    case 'EXCHANGE_IP_BANNED':
    case 'EXCHANGE_MAINTENANCE':
    case 'REQUEST_REJECTED':
    case 'NOT_FOUND':
    case 'SYMBOL_INVALID':
    case 'ANSWER_DAMAGED':
    case 'ROWS_INVALID':
    case 'ROWS_DUPLICATE':
    case 'ROWS_MISSING':
    case 'SYMBOLS_FAILED':
      return EXIT.partial;
    default:
      return code satisfies never;
  }
}
