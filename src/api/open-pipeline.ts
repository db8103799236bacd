import { openDuckdbParquet } from '../platform/node/duckdb-parquet.ts';
import { undiciHttp } from '../platform/node/undici-http.ts';
import type { MailPort } from '../platform/ports/mail.ts';
import type { Ports } from '../platform/ports/ports.ts';
import { openTelemetry } from '../platform/node/open-telemetry.ts';
import { smtpMail } from '../platform/node/smtp-mail.ts';
import { GROUP_WAIT_MS, REPEAT_MS } from '../alerting/plan/outbox-plan.ts';
import { openChannels } from '../alerting/outbox/open-channels.ts';
import { codeOf } from '../errors/classify.ts';
import { loadAdapters, type Adapters } from '../exchanges/registry.ts';
import { configurationIdentity } from '../engine/core/configuration-identity.ts';
import type { Settings } from '../engine/core/settings.ts';
import { durableHalt } from '../engine/core/halt.ts';
import { venuesOf } from '../engine/core/exchanges.ts';
import type { Pipeline } from '../engine/core/pipeline.ts';
import { openStateAccess, type StateOptions } from './open-state.ts';

/** The ports a caller may replace. Files, Parquet and stores are always real. */
export type WorldPorts = Pick<Ports, 'clock' | 'random' | 'http' | 'fetch' | 'processes'> & {
  readonly mailTo: (smtpUrl: string) => MailPort;
};

export interface OpenOptions extends StateOptions {
  /** Clock, randomness and network of tests and simulations; the default is the real one. */
  readonly world?: Partial<WorldPorts>;
  /** Default: the adapters of the registry. */
  readonly adapters?: Adapters;
}

/**
 * Opens a data directory and builds every adapter of the real world. The caller closes the pipeline.
 * @throws StateError (STATE_UNUSABLE) when state.db or limits.db cannot be used, or state.db was lost.
 * @throws Node's disk errors when the directory cannot be written; `classify` maps them to STORAGE_FAILED.
 */
export async function openPipeline(settings: Settings, options: OpenOptions): Promise<Pipeline> {
  const { world: { mailTo = smtpMail, http: ownHttp, fetch: ownFetch } = {}, adapters = await loadAdapters() } =
    options;
  const state = await openStateAccess(settings, options);
  const { lake } = state;
  const { clock, redact } = state.ports;
  const http = undiciHttp(settings.network);
  const parquet = openDuckdbParquet({ scratchDirectory: lake.scratch, clock });
  const ports: Ports = {
    ...state.ports,
    http: ownHttp ?? http,
    fetch: ownFetch ?? http.fetch,
    parquet,
    telemetry: openTelemetry({ clock, redact, codeOf }),
  };
  const halts = durableHalt(ports, configurationIdentity(settings));
  return {
    settings,
    ports,
    lake,
    venues: venuesOf(ports, settings, { adapters, halts }),
    halts,
    dispatcher: {
      ports,
      policy: {
        instance: settings.alerts.instance,
        runbookUrl: settings.alerts.runbookUrl,
        groupWaitMs: GROUP_WAIT_MS,
        repeatMs: REPEAT_MS,
      },
      channels: openChannels({ clock, fetch: ports.fetch, mailTo }, settings.alerts.channels),
      undeliveredPath: lake.undelivered,
      redact,
    },
    close: async () => {
      await state.close();
      parquet.close();
      await http.close();
    },
  };
}
