import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FAULT_CODES, ruleOf } from '../../errors/table.ts';
import { alertLevel, nextStep, severityOf, type RecoveryForecast } from './levels.ts';
import { CRITICAL_ASSETS } from './settings.ts';

const GOLD = 'gold_huggingface_ohlcv';
const CRITICAL = new Set(CRITICAL_ASSETS);
const HEALING: RecoveryForecast = {
  kind: 'healing',
  attempt: 1,
  attemptsMax: 3,
  nextAtMs: Date.UTC(2024, 6, 1, 14, 2, 30),
};

test('a fault that recovery will retry is a warning, even on a critical asset', () => {
  expect(alertLevel({ code: 'PUBLISH_FAILED', asset: GOLD, scope: 'asset' }, HEALING, CRITICAL)).toBe('warning');
  expect(nextStep(HEALING)).toBe('healing 1/3, next at 2024-07-01T14:02Z');
});

test('once retries are used up, critical assets are critical and others an error', () => {
  expect(
    alertLevel({ code: 'EXCHANGE_SERVER_ERROR', asset: GOLD, scope: 'asset' }, { kind: 'exhausted' }, CRITICAL),
  ).toBe('critical');
  expect(
    alertLevel(
      { code: 'EXCHANGE_SERVER_ERROR', asset: 'bronze_okx_ohlcv', scope: 'symbols' },
      { kind: 'exhausted' },
      CRITICAL,
    ),
  ).toBe('error');
});

test('a permanent fault has the level of the table; when a whole asset fails, the level of an exhausted one', () => {
  const final = { kind: 'final' } as const;
  expect(alertLevel({ code: 'NOT_FOUND', asset: 'bronze_okx_ohlcv', scope: 'symbols' }, final, CRITICAL)).toBe(
    'warning',
  );
  expect(alertLevel({ code: 'NOT_FOUND', asset: 'bronze_okx_ohlcv', scope: 'asset' }, final, CRITICAL)).toBe('error');
  expect(alertLevel({ code: 'UNAUTHORIZED', asset: 'bronze_okx_ohlcv', scope: 'asset' }, final, CRITICAL)).toBe(
    'critical',
  );
});

test('a fault without retries is never milder than its table, one with retries never above a warning', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...FAULT_CODES),
      fc.constantFrom('symbols' as const, 'asset' as const),
      fc.constantFrom(GOLD, 'bronze_okx_ohlcv'),
      (code, scope, asset) => {
        const levelOf = (forecast: RecoveryForecast): number =>
          severityOf(alertLevel({ code, asset, scope }, forecast, CRITICAL));
        expect(levelOf(HEALING)).toBeLessThanOrEqual(severityOf('warning'));
        for (const kind of ['exhausted', 'final'] as const)
          expect(levelOf({ kind })).toBeGreaterThanOrEqual(severityOf(ruleOf(code).level));
      },
    ),
  );
});
