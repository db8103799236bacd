import { join } from 'node:path';
import { expect, test } from 'vitest';
import { JSON_FILE, directoryWith, load, refusal } from '../../tests/support/command-line/configuration-harness.ts';

test('an unknown key in a file is refused with the path and the nearest key', async () => {
  const cwd = directoryWith({ [JSON_FILE]: '{"symbls": "BTC/USDT"}' });
  const { facts } = await refusal({ cwd });
  expect(facts).toMatchObject({ where: `${join(cwd, JSON_FILE)} symbls`, nearest: 'symbols' });
});

test.each([
  ['broken JSON', JSON_FILE, '{"interval": "1h",}'],
  ['an empty file', JSON_FILE, ''],
  ['a list', JSON_FILE, '[{"interval": "1h"}]'],
  ['null', JSON_FILE, 'null'],
  ['a text', JSON_FILE, '"1h"'],
  ['a module without default export', 'candlekeep.config.mjs', 'export const interval = "1h";'],
  ['a module that exports a list', 'candlekeep.config.mjs', 'export default ["1h"];'],
  ['a module that throws', 'candlekeep.config.mjs', 'throw new Error("not\\ntoday");'],
  ['a module that throws no error', 'candlekeep.config.mjs', 'throw null;'],
  ['a module that does not parse', 'candlekeep.config.ts', 'export default {'],
  ['a directory', `${JSON_FILE}/x`, ''],
])('%s as configuration file is refused with its path', async (_, name, text) => {
  const cwd = directoryWith({ [name]: text });
  const { code, facts } = await refusal({ cwd });
  expect(code).toBe('CONFIG_INVALID');
  expect(facts.where).toBe(join(cwd, name.replace(/\/x$/, '')));
});

test('a list is called a list', async () => {
  expect((await refusal({ cwd: directoryWith({ [JSON_FILE]: '[]' }) })).facts.got).toBe('a list');
});

test('a TypeScript module gives the options, lists and numbers included; --config names another file', async () => {
  const cwd = directoryWith({
    'candlekeep.config.ts':
      'const share: number = 0.5;\n' +
      'export default { rateShare: share, symbols: ["eth-usdt", "BTCUSDT"], dataDir: "data" };',
    'other.json': '{"rateShare": "0.25"}',
  });
  const { settings } = await load({ cwd });
  expect(settings).toMatchObject({ rateShare: 0.5, dataDir: join(cwd, 'data') });
  expect(settings.markets.get('binance')).toEqual(['ETH/USDT', 'BTC/USDT']);
  expect((await load({ cwd, file: 'other.json' })).settings.rateShare).toBe(0.25);
  expect((await refusal({ cwd, file: 'none.json' })).message).toContain(join(cwd, 'none.json'));
});

test('a certificate file is read, and a missing one is refused by name', async () => {
  const cwd = directoryWith({ 'ca.pem': 'certificate' });
  expect((await load({ cwd, env: { CANDLEKEEP_CA_FILE: 'ca.pem' } })).settings.network.caPem).toBe('certificate');
  await expect(load({ cwd, env: { CANDLEKEEP_CA_FILE: 'none.pem' } })).rejects.toThrow(/CANDLEKEEP_CA_FILE/);
});
