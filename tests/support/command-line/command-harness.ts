import { onTestFinished } from 'vitest';
import { realClock } from '../../../src/platform/node/system-clock.ts';
import { NO_FAULTS, type FaultPlan } from '../../../src/simulation/fault-plan.ts';
import { serveOnLoopback } from '../../../src/simulation/loopback.ts';
import type { StandInHandler } from '../../../src/simulation/stand-ins/reply.ts';
import { standInBinance } from '../../../src/simulation/stand-ins/stand-in-binance.ts';
import { standInPagerDuty } from '../stand-ins/stand-in-pagerduty.ts';
import { standInSlack } from '../stand-ins/stand-in-slack.ts';
import { candlekeep, directory, documentIn } from './command-line.ts';
import { BINANCE_RECORDINGS } from '../simulated.ts';

const KEY = 'k'.repeat(32);

const served = async (handle: StandInHandler): Promise<string> => {
  const server = await serveOnLoopback(handle, { clock: realClock });
  onTestFinished(() => server.close());
  return server.url;
};

interface HarnessOptions {
  readonly slackPlan?: FaultPlan;
  /** The wire between the commands and the exchange. */
  readonly wire?: (handle: StandInHandler) => StandInHandler;
}

/** A data directory, an exchange that forbids everything, Slack and PagerDuty over real sockets. */
export async function commandHarness(
  env: Readonly<Record<string, string>> = {},
  { slackPlan = NO_FAULTS, wire = (handle: StandInHandler) => handle }: HarnessOptions = {},
) {
  const venue = standInBinance({
    world: BINANCE_RECORDINGS,
    plan: {
      seed: 'x',
      rules: [
        { match: { path: '/api/v3/klines' }, on: { every: 1 }, fault: { kind: 'status', status: 403, body: 'html' } },
      ],
    },
  });
  const [slack, pagerduty] = [standInSlack({ plan: slackPlan }), standInPagerDuty({ routingKey: KEY })];
  const cwd = directory();
  const call = {
    cwd,
    env: {
      CANDLEKEEP_BINANCE_URL: await served(wire(venue.handle)),
      CANDLEKEEP_SYMBOLS: 'BTC/USDT',
      SLACK_WEBHOOK_URL: `${await served(slack.handle)}/services/T0/B0/secret`,
      PAGERDUTY_ROUTING_KEY: KEY,
      PAGERDUTY_EVENTS_URL: `${await served(pagerduty.handle)}/v2/enqueue`,
      USER: 'ann',
      ...env,
    },
  };
  const run = (...args: readonly string[]) => candlekeep(args, call);
  return {
    cwd,
    call,
    slack,
    pagerduty,
    venue,
    run,
    json: async (...args: readonly string[]) => documentIn((await run(...args, '--json')).out),
  };
}
