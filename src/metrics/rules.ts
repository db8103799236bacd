import { DAY_MS } from '../domain/interval.ts';
import type { AlertLevel, FaultCode } from '../errors/table.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * A value that must not stay above a threshold. The in-process evaluation, the Prometheus rules and the dashboard are
 * made from it.
 */
export interface ThresholdRule {
  /** The compared value, in words. */
  readonly measure: string;
  readonly unit: 'runs' | 'ratio' | 'seconds';
  /** The rule fires strictly above; mildest first. */
  readonly thresholds: readonly { readonly above: number; readonly level: AlertLevel }[];
  /** The subject: one alert for each. */
  readonly per: 'asset' | 'exchange' | 'installation';
  /** The period the value covers; 0: the current value. Unit: milliseconds. */
  readonly windowMs: number;
  /** Consecutive bad evaluations before it fires. */
  readonly badMax: number;
  /** Consecutive good evaluations before it resolves. */
  readonly goodMax: number;
  /** The value as PromQL over these metrics. */
  readonly promql: string;
  /**
   * The rule's alert is not sent while an alert with one of these codes, of the same exchange or asset, explains it.
   */
  readonly explainedBy: readonly FaultCode[];
}

const UNANSWERED: readonly FaultCode[] = [
  'EXCHANGE_RATE_LIMITED',
  'EXCHANGE_IP_BANNED',
  'EXCHANGE_MAINTENANCE',
  'EXCHANGE_SERVER_ERROR',
  'REQUEST_TIMEOUT',
  'CONNECTION_FAILED',
];
const UNUSABLE: readonly FaultCode[] = [
  'REQUEST_REJECTED',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'NOT_FOUND',
  'SYMBOL_INVALID',
  'SCHEMA_MISMATCH',
];
const OURS: readonly FaultCode[] = ['PUBLISH_FAILED', 'STORAGE_FAILED', 'STATE_UNUSABLE', 'DEFECT'];

export const RULES = {
  RULE_FAILED_RUNS: {
    measure: 'scheduled runs within an hour that failed and will not be retried automatically',
    unit: 'runs',
    per: 'asset',
    windowMs: HOUR_MS,
    badMax: 1,
    goodMax: 2,
    thresholds: [{ above: 3, level: 'critical' }],
    promql: 'max by (asset) (pipeline_final_failures)',
    explainedBy: [...UNANSWERED, ...UNUSABLE, ...OURS, 'SYMBOLS_FAILED'],
  },
  RULE_FAILED_SYMBOLS: {
    measure: "share of an asset's symbols that failed",
    unit: 'ratio',
    per: 'asset',
    windowMs: 0,
    badMax: 2,
    goodMax: 2,
    thresholds: [{ above: 0.1, level: 'warning' }],
    promql:
      'sum by (exchange, asset) (pipeline_symbols{exchange!="",state="failed"})' +
      ' / sum by (exchange, asset) (pipeline_symbols{exchange!=""})',
    explainedBy: [...UNANSWERED, ...UNUSABLE, 'SYMBOLS_FAILED'],
  },
  RULE_ROWS_REMOVED: {
    measure: 'share of received rows that were removed within a day',
    unit: 'ratio',
    per: 'installation',
    windowMs: DAY_MS,
    badMax: 1,
    goodMax: 2,
    thresholds: [
      { above: 0.05, level: 'warning' },
      { above: 0.1, level: 'error' },
    ],
    promql: 'sum(increase(pipeline_rows_removed_total[1d])) / sum(increase(pipeline_rows_total[1d]))',
    explainedBy: ['ROWS_INVALID'],
  },
  RULE_LATENCY: {
    measure: 'duration that 95 % of the scheduled runs of a day do not exceed',
    unit: 'seconds',
    per: 'installation',
    windowMs: DAY_MS,
    badMax: 2,
    goodMax: 2,
    thresholds: [{ above: 300, level: 'warning' }],
    promql:
      'histogram_quantile(0.95, sum by (le) (increase(pipeline_run_duration_seconds_bucket{trigger="schedule"}[1d])))',
    explainedBy: [...UNANSWERED, 'PUBLISH_FAILED'],
  },
  RULE_FRESHNESS: {
    measure: 'how overdue the newest expected candle is',
    unit: 'seconds',
    per: 'exchange',
    windowMs: 0,
    badMax: 1,
    goodMax: 2,
    thresholds: [{ above: 7_200, level: 'critical' }],
    promql: 'max by (exchange) (pipeline_data_lateness_seconds)',
    explainedBy: [...UNANSWERED, ...UNUSABLE, ...OURS, 'SYMBOLS_FAILED', 'ROWS_MISSING'],
  },
} as const satisfies Readonly<Record<string, ThresholdRule>>;

export type RuleCode = keyof typeof RULES;
export const RULE_CODES = Object.keys(RULES) as readonly RuleCode[];
export const isRuleCode = (text: string): text is RuleCode => Object.hasOwn(RULES, text);
export const thresholdRule = (code: RuleCode): ThresholdRule => RULES[code];

/** The runbook page, relative to the package. */
export const ruleRunbookPath = (code: RuleCode): string => `docs/runbook/${code}.md`;

/** One threshold in words: `above 5 %: warning`. */
function thresholdText({ unit }: ThresholdRule, { above, level }: ThresholdRule['thresholds'][number]): string {
  const limit = unit === 'ratio' ? `${above * 100} %` : unit === 'seconds' ? `${above / 60} min` : `${above} ${unit}`;
  return `above ${limit}: ${level}`;
}

/** A rule's row of the table, as label and text. */
export function ruleFacets(code: RuleCode): readonly (readonly [label: string, text: string])[] {
  const rule = thresholdRule(code);
  const thresholds = rule.thresholds.map((one) => thresholdText(rule, one)).join('; ');
  const bad = rule.badMax === 1 ? 'the first bad value' : `${rule.badMax} bad values in a row`;
  return [
    ['Watches', rule.measure],
    ['Per', rule.per],
    ['Fires', `${thresholds}; after ${bad}, over after ${rule.goodMax} good ones`],
    ['Not sent beside', rule.explainedBy.join(', ')],
    ['PromQL', rule.promql],
    ['Runbook', ruleRunbookPath(code)],
  ];
}

/** Sections of a rule's page, in their order. */
export const RULE_SECTIONS = ['Cause', 'What is safe', 'What to run'] as const;

/** A rule's runbook page with a head from the table; the text from the first section on is kept. */
export function ruleRunbookPage(code: RuleCode, text: string): string {
  const rule = thresholdRule(code);
  const [prose = RULE_SECTIONS.map((section) => `## ${section}\n`).join('\n')] = /^## .*/ms.exec(text) ?? [];
  const thresholds = rule.thresholds.map((one) => thresholdText(rule, one)).join(', ');
  const head = `${rule.measure} · ${thresholds} · per ${rule.per} · [metrics](../metrics.md#rules)`;
  return `# ${code}\n\n> ${head}\n\n${prose}`;
}
