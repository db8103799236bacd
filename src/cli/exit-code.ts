import { endingOfFault, type Ending } from '../engine/core/ending.ts';
import type { FaultCode } from '../errors/table.ts';

/** The exit code of the process for each ending; scripts rely on the numbers. */
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
} as const satisfies Record<Ending, number>;
export type ExitCode = (typeof EXIT)[Ending];

export const exitOfFault = (code: FaultCode): ExitCode => EXIT[endingOfFault(code)];
