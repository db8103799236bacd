import { expect, test } from 'vitest';
import type { Exchange } from '../../domain/exchange.ts';
import { overlapRuns, type OverlappingRun, type RunSlot } from './run-overlap.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Runs that do what the test says, and what happened to them so far. */
function harness() {
  const overlap = overlapRuns();
  const events: string[] = [];
  const runs = new Map<string, { readonly slot: RunSlot; readonly end: PromiseWithResolvers<void> }>();
  const own = (name: string) => {
    const known = runs.get(name);
    if (known === undefined) throw new Error(`run ${name} has not begun`);
    return known;
  };
  const start = async (name: string, of: Partial<Pick<OverlappingRun, 'leases' | 'exchanges'>> = {}): Promise<void> => {
    const run = {
      leases: new Set([name]),
      exchanges: ['binance'] as Exchange[],
      interval: '1h' as const,
      firstDay: '2024-06-01',
      position: { run: 1, runs: 1 },
      ...of,
    };
    await overlap.admit(run.leases);
    await overlap.begin(run, async (slot) => {
      const end = Promise.withResolvers<void>();
      runs.set(name, { slot, end });
      events.push(`${name} begins`);
      void slot.mayWrite().then(
        () => events.push(`${name} may write`),
        () => events.push(`${name} may not write`),
      );
      await end.promise;
    });
  };
  return {
    events,
    allEnded: () => overlap.allEnded(),
    startAll: async (names: readonly string[]): Promise<void> => {
      for (const name of names) await start(name);
    },
    start,
    requested: async (name: string, exchange: Exchange = 'binance') => {
      own(name).slot.requested(exchange);
      await settle();
    },
    end: async (name: string) => {
      own(name).end.resolve();
      await settle();
    },
    fail: async (name: string, error: Error) => {
      own(name).end.reject(error);
      await settle();
    },
  };
}

test('a run begins when the one before it has requested everything, and writes when that one has ended', async () => {
  const { events, startAll, requested, end } = harness();
  const started = startAll(['first', 'second']);
  await settle();
  expect(events).toEqual(['first begins', 'first may write']);
  await requested('first');
  expect(events.slice(2)).toEqual(['second begins']);
  await end('first');
  expect(events.slice(3)).toEqual(['second may write']);
  await end('second');
  await started;
});

test('a run that ends without having requested everything lets the next one begin', async () => {
  const { events, startAll, end } = harness();
  const started = startAll(['first', 'second']);
  await settle();
  await end('first');
  expect(events).toContain('second begins');
  await end('second');
  await started;
});

test('every exchange of a run has to be requested before the next run begins', async () => {
  const { events, start, requested } = harness();
  const started = start('first', { exchanges: ['binance', 'okx'] }).then(() => start('second'));
  await settle();
  await requested('first', 'binance');
  await requested('first', 'binance');
  expect(events).not.toContain('second begins');
  await requested('first', 'okx');
  expect(events).toContain('second begins');
  await requested('second');
  await started;
});

test('files are written in the order of the runs, whichever ends first', async () => {
  const { events, startAll, requested, end } = harness();
  const started = startAll(['first', 'second', 'third']);
  await settle();
  for (const name of ['first', 'second', 'third']) await requested(name);
  await end('second');
  expect(events).not.toContain('third may write');
  await end('first');
  expect(events.slice(-2)).toEqual(['second may write', 'third may write']);
  await started;
});

test('at most four runs are in progress, however quickly each has requested everything', async () => {
  const { events, startAll, requested, end } = harness();
  const started = startAll(['a', 'b', 'c', 'd', 'e']);
  await settle();
  for (const name of ['a', 'b', 'c', 'd']) await requested(name);
  expect(events).toContain('d begins');
  expect(events).not.toContain('e begins');
  await end('a');
  expect(events).toContain('e begins');
  await requested('e');
  await started;
});

test('runs that need the same lease never overlap', async () => {
  const { events, start, requested, end } = harness();
  const started = start('first', { leases: new Set(['silver/binance/1h/2024-06']) })
    .then(() => start('other'))
    .then(() => start('same', { leases: new Set(['silver/binance/1h/2024-06']) }));
  await settle();
  await requested('first');
  await requested('other');
  await end('first');
  expect(events, 'every earlier run ends first').not.toContain('same begins');
  await end('other');
  expect(events).toContain('same begins');
  await end('same');
  await started;
});

test('after an error no run begins, those in progress end, and the first error is thrown', async () => {
  const { events, startAll, allEnded, requested, fail } = harness();
  const started = startAll(['a', 'b', 'c']).catch((error: unknown) => error);
  await settle();
  await requested('a');
  await fail('b', new Error('second'));
  expect(events, 'the first run is still in progress').not.toContain('b may write');
  await fail('a', new Error('first'));
  expect(await started).toEqual(new Error('first'));
  expect(events).toContain('b may not write');
  expect(events).not.toContain('c begins');
  await expect(allEnded()).rejects.toThrow('first');
});
