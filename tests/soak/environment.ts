import { createHash } from 'node:crypto';
import { realClock } from '../../src/platform/node/system-clock.ts';
import type { Exchange } from '../../src/domain/exchange.ts';
import type { TimeRange } from '../../src/domain/range.ts';
import { NO_FAULTS } from '../../src/simulation/fault-plan.ts';
import { serveOnLoopback, type LoopbackServer } from '../../src/simulation/loopback.ts';
import type { StandInHandler } from '../../src/simulation/stand-ins/reply.ts';
import { standInHub } from '../../src/simulation/stand-ins/stand-in-hub.ts';
import { standInPagerDuty } from '../support/stand-ins/stand-in-pagerduty.ts';
import { standInSlack } from '../support/stand-ins/stand-in-slack.ts';
import { standInSmtp } from '../support/stand-ins/stand-in-smtp.ts';
import type { StandInExchange } from '../../src/simulation/stand-ins/stand-in-exchange.ts';
import { standInWebhook } from '../support/stand-ins/stand-in-webhook.ts';
import { STAND_INS } from '../../src/simulation/stand-ins/stand-ins.ts';
import { optionOf, urlKey } from '../../src/configuration/options.ts';
import { INTERVALS, SYMBOLS, worldAt } from './market-world.ts';
import { faultScheduleOf, type ScheduleSpan } from './fault-schedule.ts';

export interface EnvironmentOptions {
  readonly seed: string;
  readonly span: ScheduleSpan;
  readonly range: TimeRange;
}

/** One message that a channel with message ids received. */
export interface NotificationEvent {
  /** The same each time one message is sent. */
  readonly id: string;
  readonly key: string;
  readonly kind: string;
  readonly level: string;
}

/** Messages, faults and commits recorded by the stand-ins of one data directory. */
export interface EnvironmentReport {
  readonly requests: number;
  /** Injected faults by code. */
  readonly faults: Readonly<Record<string, number>>;
  readonly hub: {
    readonly commits: number;
    /** sha256 of each file of the newest commit, by path. */
    readonly files: Readonly<Record<string, string>>;
  };
  readonly webhook: readonly NotificationEvent[];
  readonly pagerduty: { readonly events: number; readonly open: readonly string[] };
  readonly slack: number;
  readonly mails: number;
}

/** Stand-ins of everything that the processes of one data directory connect to. */
export interface SoakEnvironment {
  /** Environment variables that point the command line to the stand-ins. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends all faults. */
  endFaults(): void;
  report(): EnvironmentReport;
  close(): Promise<void>;
}

const REPO = 'soak/candles';
const HUB_TOKEN = 'hf_token_of_the_stand_in';
const ROUTING_KEY = 'k'.repeat(32);
const WEBHOOK_SECRET = 'secret of the stand-in webhook';
const SLACK_PATH = '/services/T0/B0/secret';

export async function openEnvironment({ seed, span, range }: EnvironmentOptions): Promise<SoakEnvironment> {
  const schedule = faultScheduleOf(seed, span);
  const servers: LoopbackServer[] = [];
  const serve = async (handle: StandInHandler): Promise<string> => {
    const server = await serveOnLoopback(handle, { clock: realClock });
    servers.push(server);
    return server.url;
  };
  const venues = new Map<Exchange, StandInExchange>();
  const urls: Record<string, string> = {};
  for (const [exchange, { open }] of STAND_INS) {
    const venue = open({ world: worldAt(exchange, seed, range), plan: schedule.venues.get(exchange) ?? NO_FAULTS });
    venues.set(exchange, venue);
    urls[optionOf(urlKey(exchange)).env] = await serve(venue.handle);
  }
  const hub = standInHub({
    repo: REPO,
    token: HUB_TOKEN,
    exists: false,
    plan: schedule.hub,
    commitsLost: schedule.commitsLost,
  });
  const slack = standInSlack({ path: SLACK_PATH, plan: schedule.slack });
  const pagerduty = standInPagerDuty({ routingKey: ROUTING_KEY, plan: schedule.pagerduty });
  const webhook = standInWebhook({ secret: WEBHOOK_SECRET, plan: schedule.webhook });
  const smtp = await standInSmtp();
  smtp.faults(schedule.mail);
  return {
    env: {
      ...urls,
      CANDLEKEEP_EXCHANGES: [...STAND_INS.keys()].join(','),
      CANDLEKEEP_SYMBOLS: SYMBOLS.join(','),
      CANDLEKEEP_INTERVAL: INTERVALS.join(','),
      // Short waits, so that everything heals within the soak.
      CANDLEKEEP_REQUEST_TIMEOUT: '2s',
      CANDLEKEEP_DEADLINE: '30s',
      CANDLEKEEP_RECHECK_AFTER: '20s',
      CANDLEKEEP_HF_REPO: REPO,
      HF_TOKEN: HUB_TOKEN,
      HF_ENDPOINT: await serve(hub.handle),
      SLACK_WEBHOOK_URL: `${await serve(slack.handle)}${SLACK_PATH}`,
      PAGERDUTY_ROUTING_KEY: ROUTING_KEY,
      PAGERDUTY_EVENTS_URL: `${await serve(pagerduty.handle)}/v2/enqueue`,
      ALERT_WEBHOOK_URL: `${await serve(webhook.handle)}/alerts`,
      ALERT_WEBHOOK_SECRET: WEBHOOK_SECRET,
      SMTP_URL: smtp.url,
      ALERT_EMAIL_TO: 'ops@example.org',
      ALERT_EMAIL_FROM: 'candlekeep@example.org',
    },
    endFaults: () => {
      for (const standIn of [...venues.values(), hub, slack, pagerduty, webhook]) standIn.plan(NO_FAULTS);
    },
    report: () => ({
      requests: [...venues.values()].reduce((sum, { log }) => sum + log.length, 0),
      faults: countsOf([...venues.values()].flatMap(({ log }) => log.flatMap(({ code }) => code ?? []))),
      hub: {
        commits: Math.max(0, hub.commits.length - 1),
        files: Object.fromEntries(
          [...(hub.commits.at(-1)?.files ?? [])].map(([path, bytes]) => [path, sha256Of(bytes)]),
        ),
      },
      webhook: webhook.received.map(({ message: { id, dedup_key: key, notice } }) => ({
        id,
        key,
        kind: notice.kind,
        level: String(notice['level']),
      })),
      pagerduty: { events: pagerduty.received.length, open: [...pagerduty.open().keys()] },
      slack: slack.received.length,
      mails: smtp.received.length,
    }),
    close: async () => void (await Promise.all([...servers.map((server) => server.close()), smtp.close()])),
  };
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const countsOf = (codes: readonly string[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...Map.groupBy(codes, (code) => code)]
      .map(([code, own]) => [code, own.length] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
