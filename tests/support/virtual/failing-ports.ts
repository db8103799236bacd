import type { Ports } from '../../../src/platform/ports/ports.ts';

type PortName = 'http' | 'files' | 'parquet' | 'store' | 'limits';
/** One kind of call to the outside world: `http.get`, `files.fsync`, `store.transact`, `parquet.encode`, ... */
export type CallKind =
  | { [Port in PortName]: `${Port}.${Exclude<Extract<keyof Ports[Port], string>, 'close'>}` }[PortName]
  | 'fetch';

export interface PlannedFailure {
  readonly kind: CallKind;
  /** Which call of that kind fails, the first is 1. */
  readonly n: number;
  readonly error: Error;
  /** `after`: the call takes effect but fails for the caller, as when a response is lost. */
  readonly when?: 'before' | 'after';
}

/**
 * The same ports, in which one call fails. A sweep raises `n` until `calls()` stays below it: then every call of that
 * kind has failed once, and the last run had no failure.
 */
export function failNth(
  ports: Ports,
  failure: PlannedFailure,
): { readonly ports: Ports; readonly calls: () => number } {
  let callsTotal = 0;
  const fail = (): never => {
    throw failure.error;
  };
  const isDue = (): boolean => ++callsTotal === failure.n;
  const failing: Failing = {
    sync:
      (call) =>
      (...values) => {
        if (!isDue()) return call(...values);
        if (failure.when === 'after') call(...values);
        return fail();
      },
    async:
      (call) =>
      async (...values) => {
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

/** Error of synchronous calls after the kill; a catcher cannot have any further effect. */
export class KilledError extends Error {
  override readonly name = 'KilledError';
}

/**
 * The same ports, in which the process dies at the n-th call of any kind: from then on no call has an effect, and no
 * asynchronous call returns. Disk and store are as a kill at that moment leaves them.
 */
export function killAt(
  ports: Ports,
  kill: Pick<PlannedFailure, 'n' | 'when'>,
): { readonly ports: Ports; readonly calls: () => number } {
  let callsTotal = 0;
  const lives = (): boolean => ++callsTotal < kill.n;
  const isLast = (): boolean => callsTotal === kill.n && kill.when === 'after';
  const dying: Failing = {
    sync:
      (call) =>
      (...values) => {
        const isAlive = lives();
        if (isAlive) return call(...values);
        if (isLast()) call(...values);
        throw new KilledError('the process is dead');
      },
    async:
      (call) =>
      async (...values) => {
        const isAlive = lives();
        if (isAlive) return call(...values);
        if (isLast()) await call(...values);
        return new Promise(() => undefined);
      },
  };
  const names = ['http', 'files', 'parquet', 'store', 'limits'] as const;
  return {
    ports: {
      ...ports,
      ...Object.fromEntries(
        names.map((name) => [name, everyCallOf(ports[name], name === 'files' ? dying.sync : dying.async)]),
      ),
    },
    calls: () => callsTotal,
  };
}

/** Wraps all calls except `close`, which belongs to the test. */
const everyCallOf = (port: object, wrap: (call: Call) => Call): object =>
  Object.fromEntries(
    Object.entries(port as Readonly<Record<string, Call>>).map(([name, call]) => [
      name,
      name === 'close' ? call : wrap(call),
    ]),
  );
