import { DAY_MS } from '../domain/interval.ts';
import type { AlertLevel, FaultCode } from '../errors/table.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A value that must not stay above a threshold. The in-process evaluation, the Prometheus rules and the dashboard are made of this. */
export interface ThresholdRule {
  /** What is compared, in words. */
  readonly measure: string;
  readonly unit: 'runs' | 'ratio' | 'seconds';
  /** Strictly above fires; mildest first. */
  readonly thresholds: readonly { readonly above: number; readonly level: AlertLevel }[];
  /** What tells two alerts of this rule apart. */
  readonly per: 'asset' | 'exchange' | 'installation';
  /** Over how much of the past the value is taken; 0: as it is now. */
  readonly windowMs: number;
  /** Bad evaluations in a row before it fires. */
  readonly badMax: number;
  /** Good evaluations in a row before it resolves. */
  readonly goodMax: number;
  /** The value as PromQL over our own metrics. */
  readonly promql: string;
  /** An alert under one of these codes, of the same exchange or asset, says why: the rule's own alert is not sent beside it. */
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
    measure: 'scheduled runs within an hour that failed and that nothing heals by itself',
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
      'sum by (exchange, asset) (pipeline_symbols{exchange!="",state="failed"}) / sum by (exchange, asset) (pipeline_symbols{exchange!=""})',
    explainedBy: [...UNANSWERED, ...UNUSABLE, 'SYMBOLS_FAILED'],
  },
  RULE_ROWS_REMOVED: {
    measure: 'share of delivered rows that were removed within a day',
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
    measure: '95 % of scheduled runs within a day end within',
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
    measure: 'time since the newest due candle that is not there should have been',
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

/** The page for whoever is on call, relative to the package. */
export const ruleRunbookPath = (code: RuleCode): string => `docs/runbook/${code}.md`;

/** One threshold in words: `above 5 %: warning`. */
const thresholdText = ({ unit }: ThresholdRule, { above, level }: ThresholdRule['thresholds'][number]): string =>
  `above ${unit === 'ratio' ? `${above * 100} %` : unit === 'seconds' ? `${above / 60} min` : `${above} ${unit}`}: ${level}`;

/** Everything the table says about a rule, as label and text. */
export function ruleFacets(code: RuleCode): readonly (readonly [label: string, text: string])[] {
  const rule = thresholdRule(code);
  return [
    ['Watches', rule.measure],
    ['Per', rule.per],
    [
      'Fires',
      `${rule.thresholds.map((one) => thresholdText(rule, one)).join('; ')}; after ${rule.badMax === 1 ? 'the first bad value' : `${rule.badMax} bad values in a row`}, over after ${rule.goodMax} good ones`,
    ],
    ['Not told beside', rule.explainedBy.join(', ')],
    ['PromQL', rule.promql],
    ['Runbook', ruleRunbookPath(code)],
  ];
}

/** Sections of a rule's page, in their order. */
export const RULE_SECTIONS = ['Cause', 'What is safe', 'What to run'] as const;

/** A rule's runbook page with what the table says above its first section; the prose from there on is left as it is. */
export function ruleRunbookPage(code: RuleCode, text: string): string {
  const rule = thresholdRule(code);
  const [prose = RULE_SECTIONS.map((section) => `## ${section}\n`).join('\n')] = /^## .*/ms.exec(text) ?? [];
  return `# ${code}\n\n> ${rule.measure} · ${rule.thresholds.map((one) => thresholdText(rule, one)).join(', ')} · per ${rule.per} · [metrics](../metrics.md#rules)\n\n${prose}`;
}
