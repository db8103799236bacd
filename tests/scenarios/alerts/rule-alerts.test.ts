import { expect, test } from 'vitest';
import { alertRules } from '../../../src/alerting/model/rule-alerts.ts';
import { evaluateMeasurements } from '../../../src/metrics/rule-states.ts';
import { RULE_CODES, thresholdRule, type RuleCode } from '../../../src/metrics/rules.ts';
import { alertWorld, titles } from '../../support/alert-harness.ts';

const MINUTE_MS = 60_000;
const SUBJECTS = { asset: 'bronze_okx_ohlcv', exchange: 'okx', installation: '' } as const;
const AT = { asset: 'okx', exchange: 'okx', installation: '' } as const;

test.each(
  RULE_CODES.flatMap((rule) => thresholdRule(rule).thresholds.map(({ above, level }) => [rule, level, above] as const)),
)('%s (%s) is sent once when it fires and once when it ends', async (rule: RuleCode, level, above) => {
  const { per, badMax, goodMax } = thresholdRule(rule);
  const world = alertWorld(`${rule} ${level}`);
  world.start();
  const evaluate = async (value: number, times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await world.act(function* () {
        const nowMs = world.clock.nowMs();
        yield* alertRules(yield* evaluateMeasurements([{ rule, subject: SUBJECTS[per], value }], nowMs), {
          nowMs,
          redact: world.dispatcher.redact,
        });
      });
      await world.pass(MINUTE_MS);
    }
  };
  await evaluate(above, 5);
  const quiet = titles(world, 'slack').filter((title) => title.startsWith(`[${level.toUpperCase()}]`));
  expect(quiet, 'a value equal to the threshold does not fire').toEqual([]);
  await evaluate(above * 1.2, badMax + 5);
  await evaluate(0, goodMax + 5);
  const notified = titles(world, 'slack').filter((title) => !title.startsWith('[WARNING]') || level === 'warning');
  expect(notified).toEqual([
    expect.stringMatching(new RegExp(`^\\[${level.toUpperCase()}\\] ${rule}`)),
    expect.stringMatching(new RegExp(`^\\[RESOLVED\\] ${rule}`)),
  ]);
  expect(titles(world, 'pagerduty')).toHaveLength(level === 'critical' ? 2 : 0);
  expect(titles(world, 'email')).toHaveLength(level === 'error' ? 2 : 0);
  expect(notified[0]).toContain(AT[per]);
});

test('a value just above a threshold does not read like the threshold', async () => {
  const world = alertWorld('hardly');
  world.start();
  await world.act(function* () {
    const nowMs = world.clock.nowMs();
    yield* alertRules(yield* evaluateMeasurements([{ rule: 'RULE_FRESHNESS', subject: 'okx', value: 7_203 }], nowMs), {
      nowMs,
      redact: world.dispatcher.redact,
    });
  });
  await world.pass(MINUTE_MS);
  expect(titles(world, 'slack')).toEqual([expect.stringMatching(/: 2 h 1 min, more than 2 h 0 min$/)]);
});
