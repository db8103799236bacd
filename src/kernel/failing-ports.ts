import type { Ports } from './ports.ts';

type PortName = 'http' | 'files' | 'parquet' | 'store';
/** One kind of call to the outside world: `http.get`, `files.fsync`, `store.transact`, `parquet.encode`, ... */
export type CallKind = { [Port in PortName]: `${Port}.${Exclude<Extract<keyof Ports[Port], string>, 'close'>}` }[PortName] | 'fetch';

export interface PlannedFailure {
  readonly kind: CallKind;
  /** Which call of that kind fails, the first is 1. */
  readonly n: number;
  readonly error: Error;
  /** `after`: the call has its effect and the caller does not learn of it, as when an answer is lost. */
  readonly when?: 'before' | 'after';
}

/**
 * The same world, in which one call fails. A sweep raises `n` until `calls()` stays below it: then every
 * call of that kind has failed once, and the run without failure was the last.
 */
export function failNth(ports: Ports, failure: PlannedFailure): { readonly ports: Ports; readonly calls: () => number } {
  let callsTotal = 0;
  const failing = (call: Call, isAsync: boolean): Call => (...values) => {
    callsTotal += 1;
    if (callsTotal !== failure.n) return call(...values);
    if (failure.when !== 'after') return isAsync ? Promise.reject(failure.error) : raise(failure.error);
    const result = call(...values);
    return isAsync ? (result as Promise<unknown>).then(() => raise(failure.error)) : raise(failure.error);
  };
  const [name, method] = failure.kind.split('.') as [PortName | 'fetch', string | undefined];
  const port = ports[name] as unknown as Record<string, Call> & Call;
  const replaced = method === undefined ? failing(port, true) : { ...port, [method]: failing(port[method]!, name !== 'files') };
  return { ports: { ...ports, [name]: replaced }, calls: () => callsTotal };
}

type Call = (...values: readonly unknown[]) => unknown;

function raise(error: Error): never {
  throw error;
}
