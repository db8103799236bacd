import { expect, test } from 'vitest';
import {
  AlertChannelError,
  AnswerDamagedError,
  CellsLeasedError,
  ConfigurationError,
  DefectError,
  everyCodeHasAClass,
  ExchangeAPIError,
  exchangeError,
  PipelineError,
  PublishError,
  RunCrashedError,
  StateError,
  StorageError,
  ValidationError,
  type ResponseFacts,
  type ExchangeFaultCode,
  type Fault,
} from './errors.ts';
import { FAULT_CODES } from './table.ts';

const facts: ResponseFacts = { exchange: 'okx', status: 503, venueCode: null, retryAfterMs: null };
const ofExchange = (code: ExchangeFaultCode): Fault => exchangeError(code, 'no candles', facts);
const ofRows = (code: ValidationError['code']): Fault => new ValidationError(code, 'rows', {});
/** One fault of every kind; the compiler refuses an exchange code that is missing. */
const EXCHANGE_CODES: Readonly<Record<ExchangeFaultCode, true>> = {
  EXCHANGE_RATE_LIMITED: true,
  EXCHANGE_IP_BANNED: true,
  EXCHANGE_MAINTENANCE: true,
  EXCHANGE_SERVER_ERROR: true,
  REQUEST_TIMEOUT: true,
  CONNECTION_FAILED: true,
  REQUEST_REJECTED: true,
  UNAUTHORIZED: true,
  FORBIDDEN: true,
  NOT_FOUND: true,
  SYMBOL_INVALID: true,
  SCHEMA_MISMATCH: true,
};
const exchangeFaults = (Object.keys(EXCHANGE_CODES) as ExchangeFaultCode[]).map(ofExchange);
const faults: readonly Fault[] = [
  ...exchangeFaults,
  ...(['ROWS_INVALID', 'ROWS_DUPLICATE', 'ROWS_MISSING', 'SYMBOLS_FAILED'] as const).map(ofRows),
  new PublishError('refused', { repo: 'a/b', status: 500, retryAfterMs: null, retryable: true }),
  new ConfigurationError({ where: 'x', expected: 'y', got: 'z' }),
  new StateError('foreign', { path: 'state.db' }),
  new RunCrashedError({ run: 'run_1' }),
  new StorageError('full', { path: 'bronze', errno: 'ENOSPC' }),
  new AnswerDamagedError({
    exchange: 'okx',
    symbol: 'BTC/USDT',
    segment: 'bronze/seg-0001.zst',
    offset: 0,
    loss: 'cut',
  }),
  new CellsLeasedError({ lease: 'run a', owner: 'b' }),
  new AlertChannelError('slack does not answer', {
    channel: 'slack',
    failure: 'transient',
    status: null,
    retryAfterMs: null,
  }),
  new DefectError('bug', { cause: new Error('inner') }),
];

test('every code of the table has an error that carries it, and no error carries another', () => {
  expect(everyCodeHasAClass).toBe(true);
  expect(faults.map((fault) => fault.code).toSorted()).toEqual(FAULT_CODES.toSorted());
});

test('every fault is a PipelineError named after its class', () => {
  for (const fault of faults) {
    expect(fault).toBeInstanceOf(PipelineError);
    expect(fault.name).toBe(fault.constructor.name);
  }
});

test('exchange faults can be caught as one family, with their facts and their cause', () => {
  for (const fault of exchangeFaults) expect(fault).toBeInstanceOf(ExchangeAPIError);
  const cause = new Error('reset');
  const fault = exchangeError('CONNECTION_FAILED', 'okx hung up', facts, { cause });
  expect(fault.facts).toEqual(facts);
  expect(fault.cause).toBe(cause);
});

test('a configuration error names the place, both values and the nearest name', () => {
  const error = new ConfigurationError({
    where: 'CANDLEKEEP_SYMBOL',
    expected: 'a known variable',
    got: 'BTC/USDT',
    nearest: 'CANDLEKEEP_SYMBOLS',
  });
  expect(error.message).toBe(
    'CANDLEKEEP_SYMBOL: expected a known variable, got BTC/USDT; did you mean CANDLEKEEP_SYMBOLS?',
  );
  expect(new ConfigurationError({ where: 'x', expected: 'y', got: 'z' }).facts.nearest).toBeNull();
});
