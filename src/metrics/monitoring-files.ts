import type { AlertLevel } from '../errors/table.ts';
import { dashboard } from './grafana.ts';
import { RULE_CODES, thresholdRule, type RuleCode } from './rules.ts';
import { yamlOf, type Plain } from './yaml.ts';

export interface MonitoringOptions {
  /** Every time in the files is divided by it; above 1 only to see the whole chain work within seconds. */
  readonly timeScale: number;
  /** Where Candlekeep serves /metrics, `host:port`. */
  readonly target: string;
}

export const MONITORING_DEFAULTS: MonitoringOptions = { timeScale: 1, target: '127.0.0.1:4680' };

export interface MonitoringFile {
  /** Below the directory they are written to. */
  readonly path: string;
  readonly text: string;
}

const head = (what: string): string =>
  `# ${what}\n# Written by candlekeep metrics write; made from the table of rules, so change it there.\n`;

/** Prometheus rules with their unit tests, a scrape configuration, an Alertmanager example and a Grafana dashboard, all from the same tables. */
export const monitoringFiles = (options: MonitoringOptions = MONITORING_DEFAULTS): MonitoringFile[] => [
  {
    path: 'prometheus/rules.yml',
    text:
      head('Rules of Candlekeep for Prometheus. Check: promtool check rules rules.yml') + yamlOf(rulesFile(options)),
  },
  ...(options.timeScale === 1
    ? [
        {
          path: 'prometheus/rules_test.yml',
          text: head('Run: promtool test rules rules_test.yml') + yamlOf(rulesTest()),
        },
      ]
    : []),
  {
    path: 'prometheus/prometheus.example.yml',
    text:
      head('Scrapes candlekeep start and sends alerts on. Check: promtool check config prometheus.example.yml') +
      yamlOf(prometheusConfig(options)),
  },
  {
    path: 'alertmanager/alertmanager.example.yml',
    text:
      head('Where alerts go by level. Check: amtool check-config alertmanager.example.yml') +
      yamlOf(alertmanagerConfig(options)),
  },
  { path: 'grafana/dashboard.json', text: `${JSON.stringify(dashboard(), null, 2)}\n` },
];

/** Largest first. */
const UNITS_S = { d: 86_400, h: 3_600, m: 60, s: 1 } as const;
type Unit = keyof typeof UNITS_S;
const UNITS = Object.keys(UNITS_S) as readonly Unit[];
/** Whole seconds, at least one. */
const scaled = (seconds: number, { timeScale }: MonitoringOptions): string =>
  durationOf(Math.max(1, Math.round(seconds / timeScale)));

function durationOf(seconds: number): string {
  const unit = UNITS.find((one) => seconds % UNITS_S[one] === 0) ?? 's';
  return `${seconds / UNITS_S[unit]}${unit}`;
}

const scaledExpression = (promql: string, options: MonitoringOptions): string =>
  promql.replaceAll(
    /\[(\d+)([smhd])\]/g,
    (_, count: string, unit: Unit) => `[${scaled(Number(count) * UNITS_S[unit], options)}]`,
  );

/** How often the rules are looked at. Unit: seconds. */
const EVERY_S = 60;
/** No beat for so long: the process is gone, or hangs. Unit: seconds. */
const SILENT_S = 300;

const describedBy = (
  code: RuleCode,
  { above, level }: { readonly above: number; readonly level: AlertLevel },
  options: MonitoringOptions,
): Plain => {
  const { promql, unit, badMax, goodMax } = thresholdRule(code);
  return {
    alert: code,
    expr: `(${scaledExpression(promql, options)}) > ${unit === 'seconds' ? above / options.timeScale : above}`,
    ...(badMax > 1 ? { for: scaled((badMax - 1) * EVERY_S, options) } : {}),
    keep_firing_for: scaled((goodMax - 1) * EVERY_S, options),
    labels: { severity: level },
    annotations: annotationsOf(code),
  };
};

const annotationsOf = (code: RuleCode): Record<string, string> => ({
  summary: thresholdRule(code).measure,
  command: `candlekeep explain ${code}`,
});

const SILENT_ALERT = {
  code: 'PIPELINE_SILENT',
  annotations: {
    summary: 'candlekeep start has not beaten for five minutes, or is not scraped',
    command: 'candlekeep doctor',
  },
} as const;

const rulesFile = (options: MonitoringOptions): Plain => ({
  groups: [
    {
      name: 'candlekeep',
      interval: scaled(EVERY_S, options),
      rules: [
        ...RULE_CODES.flatMap((code) =>
          thresholdRule(code).thresholds.map((threshold) => describedBy(code, threshold, options)),
        ),
        {
          alert: SILENT_ALERT.code,
          expr: `time() - max(pipeline_heartbeat_timestamp_seconds) > ${SILENT_S} or absent(pipeline_heartbeat_timestamp_seconds)`,
          for: scaled(EVERY_S, options),
          labels: { severity: 'critical' },
          annotations: SILENT_ALERT.annotations,
        },
      ],
    },
  ],
});

interface RuleTest {
  /** One point a minute, in promtool's notation. */
  readonly series: readonly { readonly series: string; readonly values: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly quietAt: string;
  readonly firesAt: string;
  readonly level: AlertLevel;
  readonly overAt: string;
}

const symbols = (state: string): string =>
  `pipeline_symbols{asset="bronze_binance_ohlcv",exchange="binance",state="${state}"}`;
const buckets = (le: string, values: string) => ({
  series: `pipeline_run_duration_seconds_bucket{trigger="schedule",le="${le}"}`,
  values,
});

/** For each rule values under which it is quiet, fires, and is over. */
const RULE_TESTS: Readonly<Record<RuleCode, RuleTest>> = {
  RULE_FAILED_RUNS: {
    series: [{ series: 'pipeline_final_failures{asset="bronze_binance_ohlcv"}', values: '0x9 1 2 3 4 4x60 0x60' }],
    labels: { asset: 'bronze_binance_ohlcv' },
    quietAt: '12m',
    firesAt: '20m',
    level: 'critical',
    overAt: '150m',
  },
  RULE_FAILED_SYMBOLS: {
    series: [
      { series: symbols('ok'), values: '40x9 35x20 40x60' },
      { series: symbols('failed'), values: '0x9 5x20 0x60' },
    ],
    labels: { asset: 'bronze_binance_ohlcv', exchange: 'binance' },
    quietAt: '9m',
    firesAt: '15m',
    level: 'warning',
    overAt: '45m',
  },
  RULE_ROWS_REMOVED: {
    series: [
      { series: 'pipeline_rows_total', values: '0+100x3000' },
      { series: 'pipeline_rows_removed_total{rule="ohlc-order"}', values: '0x59 0+10x100 1000x3000' },
    ],
    labels: {},
    quietAt: '30m',
    firesAt: '159m',
    level: 'warning',
    overAt: '2500m',
  },
  RULE_LATENCY: {
    series: [
      buckets('300', '0+1x60 60x3000'),
      buckets('900', '0+1x60 60+1x100 160x3000'),
      buckets('+Inf', '0+1x60 60+1x100 160x3000'),
    ],
    labels: {},
    quietAt: '30m',
    firesAt: '120m',
    level: 'warning',
    overAt: '1700m',
  },
  RULE_FRESHNESS: {
    series: [{ series: 'pipeline_data_lateness_seconds{exchange="okx",interval="1h"}', values: '0x9 7201x20 0x60' }],
    labels: { exchange: 'okx' },
    quietAt: '9m',
    firesAt: '15m',
    level: 'critical',
    overAt: '45m',
  },
};

function rulesTest(): Plain {
  const beat = { series: 'pipeline_heartbeat_timestamp_seconds', values: '0+60x3000' };
  const at = (eval_time: string, alertname: string, exp_alerts: readonly Plain[]): Plain => ({
    eval_time,
    alertname,
    exp_alerts,
  });
  const cases = RULE_CODES.map((code): Plain => {
    const { series, labels, quietAt, firesAt, level, overAt } = RULE_TESTS[code];
    const alert = { exp_labels: { severity: level, ...labels }, exp_annotations: annotationsOf(code) };
    return {
      name: code,
      interval: '1m',
      input_series: [...series, beat],
      alert_rule_test: [at(quietAt, code, []), at(firesAt, code, [alert]), at(overAt, code, [])],
    };
  });
  const silent = { exp_labels: { severity: 'critical' }, exp_annotations: SILENT_ALERT.annotations };
  return {
    rule_files: ['rules.yml'],
    evaluation_interval: '1m',
    tests: [
      ...cases,
      {
        name: SILENT_ALERT.code,
        interval: '1m',
        input_series: [{ series: 'pipeline_heartbeat_timestamp_seconds', values: '0+60x10 600x20 1860+60x20' }],
        alert_rule_test: [
          at('10m', SILENT_ALERT.code, []),
          at('20m', SILENT_ALERT.code, [silent]),
          at('40m', SILENT_ALERT.code, []),
        ],
      },
    ],
  };
}

const prometheusConfig = (options: MonitoringOptions): Plain => ({
  global: { scrape_interval: scaled(EVERY_S, options), evaluation_interval: scaled(EVERY_S, options) },
  rule_files: ['rules.yml'],
  alerting: { alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:9093'] }] }] },
  scrape_configs: [
    {
      job_name: 'candlekeep',
      authorization: { credentials_file: 'http-token' },
      static_configs: [{ targets: [options.target] }],
    },
  ],
});

/** Candlekeep tells its own channels; this is for who already has an Alertmanager. */
const alertmanagerConfig = (options: MonitoringOptions): Plain => ({
  route: {
    receiver: 'warnings',
    group_by: ['alertname', 'exchange', 'asset'],
    group_wait: scaled(30, options),
    group_interval: scaled(300, options),
    repeat_interval: scaled(14_400, options),
    routes: [
      { matchers: ['severity="critical"'], receiver: 'pager' },
      { matchers: ['severity="error"'], receiver: 'errors' },
    ],
  },
  inhibit_rules: [
    { source_matchers: ['severity="critical"'], target_matchers: ['severity=~"warning|error"'], equal: ['exchange'] },
    { source_matchers: ['severity="error"'], target_matchers: ['severity="warning"'], equal: ['alertname'] },
  ],
  receivers: ['pager', 'errors', 'warnings'].map(
    (name): Plain => ({ name, webhook_configs: [{ url: `http://127.0.0.1:9094/${name}`, send_resolved: true }] }),
  ),
});
