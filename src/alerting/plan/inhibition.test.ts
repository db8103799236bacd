import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { RULE_CODES } from '../../metrics/rules.ts';
import { FAULT_CODES, type AlertLevel } from '../../errors/table.ts';
import { fingerprintOf, type Alert } from '../model/alert.ts';
import { inhibitionsOf } from './inhibition.ts';
import { LEVELS, severityOf } from '../model/levels.ts';

const NOW_MS = 1_000_000_000;
const noneSilenced = (): boolean => false;

const alertOf = (alert: Partial<Alert>): Alert => {
  const cause = { exchange: 'binance', code: 'CONNECTION_FAILED', asset: 'bronze_binance_ohlcv', ...alert } as const;
  return {
    scope: 'symbols',
    episode: 1,
    level: 'warning',
    firedAtMs: NOW_MS - 60_000,
    seenAtMs: NOW_MS,
    resolvedAtMs: null,
    resolution: null,
    ackedBy: null,
    facts: {
      summary: 's',
      safe: 's',
      next: 'n',
      command: 'c',
      runId: null,
      affected: { total: 0, worst: [] },
      tags: {},
    },
    ...cause,
    fingerprint: fingerprintOf(cause),
  };
};
/** The code of the alert that hides each one, in the order given. */
const hiders = (
  alerts: readonly Alert[],
  isSilenced: (alert: Alert) => boolean = noneSilenced,
): (string | null | undefined)[] => {
  const inhibitions = inhibitionsOf(alerts, isSilenced, NOW_MS);
  return alerts.map(
    ({ fingerprint }) =>
      inhibitions.get(fingerprint)?.hiddenBy?.split('/')[1] ?? inhibitions.get(fingerprint)?.hiddenBy,
  );
};

test.each<[string, Partial<Alert>, Partial<Alert>, string | null]>([
  ['a venue that is down hides its symbols', { scope: 'asset' }, { code: 'NOT_FOUND' }, 'CONNECTION_FAILED'],
  [
    'not those of another venue',
    { scope: 'asset' },
    { code: 'NOT_FOUND', exchange: 'okx', asset: 'bronze_okx_ohlcv' },
    null,
  ],
  ['some failed symbols do not hide other causes', {}, { code: 'NOT_FOUND' }, null],
  ['a cause hides the count of failed symbols', {}, { code: 'SYMBOLS_FAILED' }, 'CONNECTION_FAILED'],
  ['and the rule about them', {}, { code: 'RULE_FAILED_SYMBOLS' }, 'CONNECTION_FAILED'],
  ['a rule that it does not explain fires beside it', {}, { code: 'RULE_ROWS_REMOVED' }, null],
  ['invalid rows explain the removed ones', { code: 'ROWS_INVALID' }, { code: 'RULE_ROWS_REMOVED' }, 'ROWS_INVALID'],
  [
    'failed bronze hides late silver',
    { scope: 'asset' },
    { exchange: null, code: 'RULE_FRESHNESS', asset: 'silver_ohlcv_normalized' },
    'CONNECTION_FAILED',
  ],
  [
    'and late gold',
    { scope: 'asset' },
    { exchange: null, code: 'RULE_FRESHNESS', asset: 'gold_huggingface_ohlcv' },
    'CONNECTION_FAILED',
  ],
  [
    'a Hub that fails is its own cause',
    { scope: 'asset' },
    { exchange: null, code: 'PUBLISH_FAILED', asset: 'gold_huggingface_ohlcv' },
    null,
  ],
  [
    'a stop of everything hides every venue',
    { code: 'UNAUTHORIZED', scope: 'asset' },
    { exchange: 'okx', scope: 'asset', asset: 'bronze_okx_ohlcv' },
    'UNAUTHORIZED',
  ],
  ['a bug is never hidden', { code: 'UNAUTHORIZED', scope: 'asset' }, { code: 'DEFECT' }, null],
  [
    'a broken channel is never hidden',
    { code: 'UNAUTHORIZED', scope: 'asset' },
    { exchange: null, code: 'ALERT_CHANNEL_BROKEN', asset: 'slack' },
    null,
  ],
])('%s', (_, cause, other, expected) => {
  expect(hiders([alertOf(cause), alertOf(other)])[1]).toBe(expected);
  expect(hiders([alertOf(other), alertOf(cause)])[0]).toBe(expected);
});

test('a resolved cause hides its consequences for five more minutes, and those that ended with it', () => {
  const endedAt = (resolvedAtMs: number): Alert => alertOf({ scope: 'asset', resolvedAtMs });
  const other = alertOf({ code: 'NOT_FOUND' });
  expect(hiders([endedAt(NOW_MS - 299_000), other])[1]).toBe('CONNECTION_FAILED');
  expect(hiders([endedAt(NOW_MS - 301_000), other])[1]).toBe(null);
  expect(hiders([endedAt(NOW_MS - 10_000), { ...other, resolvedAtMs: NOW_MS - 20_000 }])[1]).toBe('CONNECTION_FAILED');
  expect(
    hiders([alertOf({ scope: 'asset', firedAtMs: NOW_MS - 1_000 }), { ...other, resolvedAtMs: NOW_MS - 20_000 }])[1],
  ).toBe(null);
});

test('a silenced cause hides nothing worse than itself', () => {
  const cause = alertOf({ scope: 'asset' });
  const late = alertOf({ code: 'RULE_FRESHNESS', level: 'critical' });
  const isSilenced = ({ code }: Alert): boolean => code === 'CONNECTION_FAILED';
  expect(hiders([cause, late])[1]).toBe('CONNECTION_FAILED');
  expect(hiders([cause, late], isSilenced)[1]).toBe(null);
  expect(hiders([cause, { ...late, level: 'warning' }], isSilenced)[1]).toBe('CONNECTION_FAILED');
});

const someAlerts = fc.uniqueArray(
  fc
    .record({
      exchange: fc.constantFrom('binance', 'okx', null),
      code: fc.constantFrom(...FAULT_CODES, ...RULE_CODES),
      asset: fc.constantFrom('bronze_binance_ohlcv', 'silver_ohlcv_normalized', null),
      scope: fc.constantFrom('symbols' as const, 'asset' as const),
      level: fc.constantFrom<AlertLevel>(...LEVELS),
      resolvedAtMs: fc.constantFrom(null, null, NOW_MS - 30_000),
    })
    .map(alertOf),
  { selector: ({ fingerprint }) => fingerprint, maxLength: 12 },
);

test('alerts never hide each other in a circle, and a sent alert has at least the level of all it hides', () => {
  fc.assert(
    fc.property(someAlerts, (alerts) => {
      const inhibitions = inhibitionsOf(alerts, noneSilenced, NOW_MS);
      for (const alert of alerts.filter(({ resolvedAtMs }) => resolvedAtMs === null)) {
        let shown = alert.fingerprint;
        for (let steps = 0; inhibitions.get(shown)?.hiddenBy; steps++) {
          expect(steps).toBeLessThan(alerts.length);
          shown = inhibitions.get(shown)?.hiddenBy ?? '';
        }
        expect(severityOf(inhibitions.get(shown)?.level ?? 'info')).toBeGreaterThanOrEqual(severityOf(alert.level));
      }
    }),
  );
});
