import type { Ending } from '../../../src/engine/core/ending.ts';
import { expect, test } from 'vitest';
import { binance } from '../../../src/exchanges/binance/adapter.ts';
import { faultsOfRun } from '../../../src/state/fault-log.ts';
import type { WorkResult } from '../../../src/engine/core/work.ts';
import { jsonReply, type StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { simulate, type Simulation, type SimulationOptions } from '../../support/simulated.ts';

const MONTH = { start: '2024-06-01', end: '2024-06-30' };
const PUBLIC_DATA = 'https://data-api.binance.vision';
const OWN = 'http://own.test';
const restricted: StandInHandler = () =>
  jsonReply(451, { code: 0, msg: 'Service unavailable from a restricted location.' });

/** A simulation of hosts in this order, each with its behaviour, and a log of the requested hosts. */
async function onHosts(
  hosts: Readonly<Record<string, StandInHandler | 'serves'>>,
  settings: SimulationOptions['settings'] = { origins: {} },
): Promise<Simulation & { readonly origins: readonly string[] }> {
  const origins: string[] = [];
  const simulation = await simulate({
    seed: 'hosts',
    symbols: ['BTC/USDT', 'ETH/USDT'],
    interval: '1h',
    settings,
    hosts: (venue) =>
      Object.fromEntries(
        Object.entries(hosts).map(([origin, does]): [string, StandInHandler] => [
          origin,
          (request, nowMs) => {
            origins.push(origin);
            return does === 'serves' ? venue.handle(request, nowMs) : does(request, nowMs);
          },
        ]),
      ),
  });
  return { ...simulation, origins };
}

async function faultsOf({ pipeline }: Simulation, { runs }: WorkResult): Promise<string[]> {
  const id = runs[0]?.id ?? '';
  return (await pipeline.ports.store.read(faultsOfRun, id, 100)).map(
    ({ record, decision }) => `${record.code} ${decision}`,
  );
}

const everywhere = (does: StandInHandler): Record<string, StandInHandler> =>
  Object.fromEntries(binance.origins.map((origin) => [origin, does]));

test('when trading hosts refuse our region, the public-data host is used, and tried first from then on', async () => {
  const simulation = await onHosts({ ...everywhere(restricted), [PUBLIC_DATA]: 'serves' });
  const result = await simulation.run({ days: MONTH });
  expect(result).toMatchObject({ ending: 'done', pending: 0 });
  expect(await faultsOf(simulation, result)).toEqual(['FORBIDDEN retry']); // the query for its limits failed first
  expect(new Set(simulation.origins)).toEqual(new Set([binance.origins[0], PUBLIC_DATA]));
  const before = simulation.origins.length;
  expect(await simulation.run({ days: MONTH, selection: 'all' })).toMatchObject({ ending: 'done' });
  expect(new Set(simulation.origins.slice(before))).toEqual(new Set([PUBLIC_DATA]));
});

test('when the public-data host refuses too, the asset fails without trying every trading host', async () => {
  const simulation = await onHosts(everywhere(restricted));
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending: 'refused', error: { code: 'FORBIDDEN' } });
  expect(new Set(simulation.origins)).toEqual(new Set([binance.origins[0], PUBLIC_DATA]));
});

test('after an unreachable host the next one is tried', async () => {
  const { [binance.origins[0] ?? '']: _down, ...others } = everywhere(restricted);
  const simulation = await onHosts({ ...others, [binance.origins[1] ?? '']: 'serves' });
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending: 'done', pending: 0 });
  expect(new Set(simulation.origins)).toEqual(new Set([binance.origins[1]]));
});

test.each<readonly [says: string, does: StandInHandler | null, ending: Ending, code: string]>([
  ['refuses our region', restricted, 'refused', 'FORBIDDEN'],
  ['cannot be reached', null, 'unreachable', 'CONNECTION_FAILED'],
  ['resets connections', () => ({ kind: 'reset' }), 'unreachable', 'CONNECTION_FAILED'],
])('with a configured URL that %s, no other host of the exchange is contacted', async (_says, does, ending, code) => {
  const simulation = await onHosts(
    { ...everywhere(restricted), [PUBLIC_DATA]: 'serves', ...(does === null ? {} : { [OWN]: does }) },
    { origins: { binance: OWN } },
  );
  expect(await simulation.run({ days: MONTH })).toMatchObject({ ending, error: { code } });
  expect(simulation.origins.filter((origin) => origin !== OWN)).toEqual([]);
});
