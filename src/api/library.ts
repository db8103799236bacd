/** The public exports of the package. docs/library.md lists them; everything else may change in any release. */
export { defineConfig, type CandlekeepConfig } from '../configuration/options.ts';
export {
  PipelineError,
  ExchangeAPIError,
  RateLimitError,
  IpBannedError,
  MaintenanceError,
  ServerError,
  RequestTimeoutError,
  ConnectionError,
  RequestRejectedError,
  UnauthorizedError,
  ForbiddenError,
  NotFoundError,
  SymbolInvalidError,
  SchemaMismatchError,
  ValidationError,
  PublishError,
  ConfigurationError,
  StateError,
  StorageError,
  AnswerDamagedError,
  CellsLeasedError,
  RunCrashedError,
  AlertChannelError,
  DefectError,
  type ResponseFacts as AnswerFacts,
  type ExchangeFaultCode,
  type Facts,
  type Fault,
} from '../errors/errors.ts';
export { CancelledError, classify, type Classification as Verdict } from '../errors/classify.ts';
export { fromRecord, toRecord, type FaultRecord } from '../errors/fault-record.ts';
export {
  FAULTS as policies,
  FAULT_CODES,
  isFaultCode,
  type FaultCode,
  type FaultRule,
} from '../errors/table.ts';
export { openReader, type CandleQuery, type CandleReader } from './reader.ts';
export type { SilverRow } from '../lake/candle-columns.ts';
export type { Interval } from '../domain/interval.ts';
