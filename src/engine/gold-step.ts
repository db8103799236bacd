import type { AssetReport } from '../faults/ledger/runs.ts';
import type { Fault } from '../faults/taxonomy/errors.ts';
import type { Pipeline } from './pipeline.ts';
import type { RunControl } from './run-execution.ts';
export function materialiseGold(_p: Pipeline, _c: RunControl, _r: string): Promise<{ report: AssetReport; fault: Fault | null }> { throw new Error('wip'); }
