import { join, resolve } from 'node:path';
import { resolveMarkets } from '../../../engine/core/symbol-resolution.ts';
import { metricsPage } from '../../../engine/monitoring/metrics-page.ts';
import { MONITORING_DEFAULTS, monitoringFiles } from '../../../metrics/monitoring-files.ts';
import type { Action } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { SCHEMA } from '../../output/schema.ts';
import { readWhole } from '../../work-options.ts';

const TIME_SCALE_MAX = 3_600;

export const showMetrics: Action = async (session) => {
  const configuration = await configure(session);
  const { pipeline, control } = await openSession(session, configuration);
  const { choices } = configuration;
  const markets = await resolveMarkets(pipeline, { choices, freshness: 'stored', signal: control.signal });
  const text = await metricsPage(pipeline, markets);
  return {
    exit: EXIT.done,
    document: { schema: SCHEMA, ok: true, exit: EXIT.done, text },
    text: text.trimEnd(),
  };
};

export const writeMonitoring: Action<{ readonly timeScale: string }> = async (session, options, [dir = '']) => {
  const timeScale = readWhole(options.timeScale, '--time-scale', TIME_SCALE_MAX);
  const { server } = await configure(session);
  const { host, port } = server.listen;
  const target = port === 0 ? MONITORING_DEFAULTS.target : `${host}:${port}`;
  const directory = resolve(session.io.cwd, dir);
  const files = monitoringFiles({ timeScale, target });
  for (const { path, text } of files) session.files.write(join(directory, path), Buffer.from(text));
  return {
    exit: EXIT.done,
    document: { schema: SCHEMA, ok: true, exit: EXIT.done, files: files.map(({ path }) => join(directory, path)) },
    text: `wrote ${files.map(({ path }) => path).join(', ')} in ${directory}`,
  };
};
