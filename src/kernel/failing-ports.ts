import type { Ports } from './ports.ts';

type PortName = 'http' | 'files' | 'parquet' | 'store' | 'limits';
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
  const fail = (): never => {
    throw failure.error;
  };
  const isDue = (): boolean => ++callsTotal === failure.n;
  const failing: Failing = {
    sync: (call) => (...values) => {
      if (!isDue()) return call(...values);
      if (failure.when === 'after') call(...values);
      return fail();
    },
    async: (call) => async (...values) => {
      if (!isDue()) return call(...values);
      if (failure.when === 'after') await call(...values);
      return fail();
    },
  };
  return { ports: { ...ports, ...replaced(ports, failure.kind, failing) }, calls: () => callsTotal };
}

type Call = (...values: readonly unknown[]) => unknown;
type Failing = Readonly<Record<'sync' | 'async', (call: Call) => Call>>;

function replaced(ports: Ports, kind: CallKind, failing: Failing): Partial<Ports> {
  if (kind === 'fetch') return { fetch: failing.async(ports.fetch as Call) as Ports['fetch'] };
  const [name, method] = kind.split('.') as [PortName, string];
  const port = ports[name] as unknown as Readonly<Record<string, Call>>;
  const wrap = name === 'files' ? failing.sync : failing.async;
  return { [name]: { ...port, [method]: wrap(port[method]!) } };
}
