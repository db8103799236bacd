/** All metrics. Users' dashboards and rules rely on the names: names are added, never changed. */
interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

export const METRICS = {
  pipeline_info: {
    type: 'gauge',
    help: 'Always 1. The labels are the tags of the configuration, empty where a tag is not set.',
    labels: ['team', 'criticality', 'alert_channel'],
  },
  pipeline_runs_total: {
    type: 'counter',
    help: 'Finished runs, counted once per asset.',
    labels: ['asset', 'outcome', 'trigger'],
  },
  pipeline_final_failures: {
    type: 'gauge',
    help: 'Scheduled runs of an asset that failed within the last hour and will not be retried automatically.',
    labels: ['asset'],
  },
  pipeline_run_duration_seconds: {
    type: 'histogram',
    help: 'Time from the start of a run to its end.',
    labels: ['trigger'],
  },
  pipeline_symbols: {
    type: 'gauge',
    help: 'Symbols of an asset by their state after its last run.',
    labels: ['exchange', 'asset', 'state'],
  },
  pipeline_rows_total: {
    type: 'counter',
    help: 'Candles read to build silver, summed over runs.',
    labels: [],
  },
  pipeline_rows_removed_total: {
    type: 'counter',
    help: 'Candles received but not stored, by the rule they broke.',
    labels: ['rule'],
  },
  pipeline_data_lateness_seconds: {
    type: 'gauge',
    help: 'How overdue the newest expected candle is, for at least half of the symbols; 0 when nothing is late.',
    labels: ['exchange', 'interval'],
  },
  pipeline_data_last_candle_timestamp_seconds: {
    type: 'gauge',
    help: 'Open time of the newest candle that at least half of the symbols have.',
    labels: ['exchange', 'interval'],
  },
  pipeline_gaps: {
    type: 'gauge',
    help: 'Due candles that are missing, by reason.',
    labels: ['exchange', 'interval', 'reason'],
  },
  pipeline_heal_attempts_total: {
    type: 'counter',
    help: 'Runs that requested missing candles again.',
    labels: ['outcome'],
  },
  pipeline_breaker_state: {
    type: 'gauge',
    help: 'Breaker of an exchange: 0 closed, 1 half open, 2 open.',
    labels: ['exchange'],
  },
  pipeline_ratelimit_used_ratio: {
    type: 'gauge',
    help: "Used share of an exchange's rate limit in its current window.",
    labels: ['exchange', 'limit'],
  },
  pipeline_http_attempts_total: {
    type: 'counter',
    help: 'Requests to an exchange by outcome: ok, or the fault code.',
    labels: ['exchange', 'outcome'],
  },
  pipeline_alert_outbox_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest undelivered alert message; 0 without one.',
    labels: [],
  },
  pipeline_alert_deliveries_total: {
    type: 'counter',
    help: 'Sends to an alert channel.',
    labels: ['channel', 'outcome'],
  },
  pipeline_heartbeat_timestamp_seconds: {
    type: 'gauge',
    help: 'When the scheduler last completed a tick.',
    labels: [],
  },
  pipeline_rule_firing: { type: 'gauge', help: '1 while the rule fires, otherwise 0.', labels: ['rule'] },
} as const satisfies Readonly<Record<string, Family>>;

export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];
export const isMetricName = (text: string): text is MetricName => Object.hasOwn(METRICS, text);
export const familyOf = (name: MetricName): Family => METRICS[name];

/** Upper bounds of the duration histogram's buckets. Unit: seconds. */
export const DURATION_BOUNDS_S: readonly number[] = [1, 5, 15, 60, 300, 900];
