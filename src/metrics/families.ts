/** Every metric there is. Names are what dashboards and rules of others rely on: they are added, never changed. */
interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

export const METRICS = {
  pipeline_info: {
    type: 'gauge',
    help: 'Always 1: the tags of the configuration, to group by; empty where a tag is not set.',
    labels: ['team', 'criticality', 'alert_channel'],
  },
  pipeline_runs_total: {
    type: 'counter',
    help: 'Finished runs, counted for each of their assets.',
    labels: ['asset', 'outcome', 'trigger'],
  },
  pipeline_final_failures: {
    type: 'gauge',
    help: 'Scheduled runs of an asset that failed within the last hour and that nothing heals by itself.',
    labels: ['asset'],
  },
  pipeline_run_duration_seconds: {
    type: 'histogram',
    help: 'From the begin of a run to its end.',
    labels: ['trigger'],
  },
  pipeline_symbols: {
    type: 'gauge',
    help: 'Symbols of an asset by how they came out of its last run.',
    labels: ['exchange', 'asset', 'state'],
  },
  pipeline_rows_total: {
    type: 'counter',
    help: 'Candles that silver was made from, each time a run makes it.',
    labels: [],
  },
  pipeline_rows_removed_total: {
    type: 'counter',
    help: 'Delivered candles that were not stored, by the rule they broke.',
    labels: ['rule'],
  },
  pipeline_data_lateness_seconds: {
    type: 'gauge',
    help: 'How long the next candle has been due that half of the symbols do not have; 0 when nothing is late.',
    labels: ['exchange', 'interval'],
  },
  pipeline_data_last_candle_timestamp_seconds: {
    type: 'gauge',
    help: 'Open time of the newest candle that half of the symbols have.',
    labels: ['exchange', 'interval'],
  },
  pipeline_gaps: {
    type: 'gauge',
    help: 'Due candles that are not there, by reason.',
    labels: ['exchange', 'interval', 'reason'],
  },
  pipeline_heal_attempts_total: {
    type: 'counter',
    help: 'Runs that asked again for what was missing.',
    labels: ['outcome'],
  },
  pipeline_breaker_state: {
    type: 'gauge',
    help: 'Breaker of an exchange: 0 closed, 1 half open, 2 open.',
    labels: ['exchange'],
  },
  pipeline_ratelimit_used_ratio: {
    type: 'gauge',
    help: "Share of an exchange's limit that is used in its current window.",
    labels: ['exchange', 'limit'],
  },
  pipeline_http_attempts_total: {
    type: 'counter',
    help: 'Requests to an exchange by how they ended: ok, or the fault code.',
    labels: ['exchange', 'outcome'],
  },
  pipeline_alert_outbox_oldest_seconds: {
    type: 'gauge',
    help: 'How long the oldest undelivered alert message has waited; 0 without one.',
    labels: [],
  },
  pipeline_alert_deliveries_total: {
    type: 'counter',
    help: 'Sends to an alert channel.',
    labels: ['channel', 'outcome'],
  },
  pipeline_heartbeat_timestamp_seconds: { type: 'gauge', help: 'When the scheduler last made its turn.', labels: [] },
  pipeline_rule_firing: { type: 'gauge', help: '1 while the rule fires, else 0.', labels: ['rule'] },
} as const satisfies Readonly<Record<string, Family>>;

export type MetricName = keyof typeof METRICS;
export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];
export const isMetricName = (text: string): text is MetricName => Object.hasOwn(METRICS, text);
export const familyOf = (name: MetricName): Family => METRICS[name];

/** Upper bounds of the duration histogram's buckets. Unit: seconds. */
export const DURATION_BOUNDS_S: readonly number[] = [1, 5, 15, 60, 300, 900];
