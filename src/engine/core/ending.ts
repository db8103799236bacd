import type { FaultCode } from '../../errors/table.ts';

/** How work ended, most severe first. When several apply, the most severe one is reported. */
const ENDINGS = [
  'interrupted',
  'terminated',
  'defect',
  'usage',
  'leased',
  'refused',
  'unreachable',
  'assetFailed',
  'dataQuality',
  'undelivered',
  'partial',
  'done',
] as const;
export type Ending = (typeof ENDINGS)[number];

export function worstEnding(endings: readonly Ending[]): Ending {
  return ENDINGS.find((ending) => endings.includes(ending)) ?? 'done';
}

/** The ending of work that a fault of this code stopped. */
export function endingOfFault(code: FaultCode): Ending {
  switch (code) {
    case 'CONFIG_INVALID':
    case 'STATE_UNUSABLE':
    case 'STORAGE_FAILED':
      return 'usage';
    case 'UNAUTHORIZED':
    case 'FORBIDDEN':
      return 'refused';
    case 'CONNECTION_FAILED':
    case 'REQUEST_TIMEOUT':
    case 'EXCHANGE_SERVER_ERROR':
      return 'unreachable';
    case 'SCHEMA_MISMATCH':
      return 'dataQuality';
    case 'CELLS_LEASED':
      return 'leased';
    case 'PUBLISH_FAILED':
    case 'RUN_CRASHED':
      return 'assetFailed';
    case 'ALERT_CHANNEL_BROKEN':
      return 'undelivered';
    case 'DEFECT':
      return 'defect';
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
      return 'partial';
    default:
      return code satisfies never;
  }
}
