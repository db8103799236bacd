/** What programs may build on. Everything the command line is made of is typed and lives behind these names. */
export { defineConfig, type CandlekeepConfig } from './options.ts';
export * from '../faults/taxonomy/errors.ts';
export { CancelledError, judge as classify, type Verdict } from '../faults/taxonomy/judge.ts';
export { fromRecord, toRecord, type FaultRecord } from '../faults/taxonomy/records.ts';
export { FAULTS as policies, FAULT_CODES, type FaultCode, type FaultRule } from '../faults/taxonomy/table.ts';
export { openReader, type CandleReader } from './reader.ts';
export type { SilverRow } from '../data/lake/candle-columns.ts';
