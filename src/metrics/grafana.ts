import { RULE_CODES, thresholdRule } from './rules.ts';

interface Panel {
  readonly title: string;
  readonly type: 'stat' | 'timeseries';
  readonly unit: string;
  readonly expressions: readonly (readonly [legend: string, promql: string])[];
  /** Values above it are red. */
  readonly redAbove?: number;
}

const UNITS = { runs: 'short', ratio: 'percentunit', seconds: 's' } as const;

/** One panel per rule with its first threshold, then panels that help to explain them. */
const PANELS: readonly Panel[] = [
  ...RULE_CODES.map((code): Panel => {
    const { measure, unit, promql, per, thresholds } = thresholdRule(code);
    return {
      title: `${code}: ${measure}`,
      type: 'timeseries',
      unit: UNITS[unit],
      expressions: [[per === 'installation' ? 'all' : `{{${per}}}`, promql]],
      redAbove: thresholds[0]?.above ?? 0,
    };
  }),
  {
    title: 'Firing rules',
    type: 'stat',
    unit: 'short',
    expressions: [['{{rule}}', 'pipeline_rule_firing']],
    redAbove: 0.5,
  },
  {
    title: 'Newest candle',
    type: 'timeseries',
    unit: 's',
    expressions: [['{{exchange}} {{interval}} age', 'time() - pipeline_data_last_candle_timestamp_seconds']],
  },
  {
    title: 'Missing due candles',
    type: 'timeseries',
    unit: 'short',
    expressions: [['{{exchange}} {{interval}} {{reason}}', 'sum by (exchange, interval, reason) (pipeline_gaps)']],
  },
  {
    title: 'Runs per hour by outcome',
    type: 'timeseries',
    unit: 'short',
    expressions: [['{{outcome}}', 'sum by (outcome) (increase(pipeline_runs_total[1h]))']],
  },
  {
    title: 'Requests per minute by outcome',
    type: 'timeseries',
    unit: 'short',
    expressions: [
      ['{{exchange}} {{outcome}}', 'sum by (exchange, outcome) (rate(pipeline_http_attempts_total[5m])) * 60'],
    ],
  },
  {
    title: 'Used share of rate limits',
    type: 'timeseries',
    unit: 'percentunit',
    expressions: [['{{exchange}} {{limit}}', 'pipeline_ratelimit_used_ratio']],
    redAbove: 0.9,
  },
  {
    title: 'Breakers: 0 closed, 1 half open, 2 open',
    type: 'stat',
    unit: 'short',
    expressions: [['{{exchange}}', 'pipeline_breaker_state']],
    redAbove: 0.5,
  },
  {
    title: 'Healing runs per hour by outcome',
    type: 'timeseries',
    unit: 'short',
    expressions: [['{{outcome}}', 'sum by (outcome) (increase(pipeline_heal_attempts_total[1h]))']],
  },
  {
    title: 'Alert messages: age of the oldest, sent and failed',
    type: 'timeseries',
    unit: 's',
    expressions: [
      ['oldest', 'pipeline_alert_outbox_oldest_seconds'],
      ['{{channel}} {{outcome}} per hour', 'sum by (channel, outcome) (increase(pipeline_alert_deliveries_total[1h]))'],
    ],
    redAbove: 300,
  },
  {
    title: 'Time since the last heartbeat',
    type: 'stat',
    unit: 's',
    expressions: [['', 'time() - pipeline_heartbeat_timestamp_seconds']],
    redAbove: 300,
  },
];

const COLUMNS = 24;
const PANEL = { w: 12, h: 8 } as const;

/** A dashboard for import; Grafana asks for the Prometheus data source. */
export const dashboard = (): object => ({
  __inputs: [
    {
      name: 'DS_PROMETHEUS',
      label: 'Prometheus',
      type: 'datasource',
      pluginId: 'prometheus',
      pluginName: 'Prometheus',
    },
  ],
  uid: 'candlekeep',
  title: 'Candlekeep',
  tags: ['candlekeep'],
  schemaVersion: 39,
  version: 1,
  refresh: '1m',
  time: { from: 'now-24h', to: 'now' },
  templating: { list: [] },
  panels: PANELS.map(({ title, type, unit, expressions, redAbove }, at) => ({
    id: at + 1,
    title,
    type,
    gridPos: { ...PANEL, x: (at * PANEL.w) % COLUMNS, y: Math.floor((at * PANEL.w) / COLUMNS) * PANEL.h },
    datasource: { type: 'prometheus', uid: '${DS_PROMETHEUS}' },
    fieldConfig: {
      defaults: {
        unit,
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: 'green', value: null },
            ...(redAbove === undefined ? [] : [{ color: 'red', value: redAbove }]),
          ],
        },
      },
      overrides: [],
    },
    targets: expressions.map(([legendFormat, expr], index) => ({
      refId: String.fromCodePoint(65 + index),
      expr,
      legendFormat,
      datasource: { type: 'prometheus', uid: '${DS_PROMETHEUS}' },
    })),
  })),
});
