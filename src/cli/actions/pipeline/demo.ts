import { resolve } from 'node:path';
import { optionOf, urlKey } from '../../../configuration/options.ts';
import type { Exchange } from '../../../domain/exchange.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { timeOrderedIds } from '../../../platform/time-ordered-ids.ts';
import { NO_FAULTS, type FaultPlan } from '../../../simulation/fault-plan.ts';
import { recordedSpans } from '../../../simulation/recordings.ts';
import type { Action, Outcome } from '../../command.ts';
import { failurePlans } from '../../demo/failures.ts';
import { demoOutput } from '../../demo/performance.ts';
import { demoSettings, openDemoEnvironment, RECENT_DAYS, SCHEDULE, type DemoEnvironment } from '../../demo/scenario.ts';
import { EXIT, type ExitCode } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { table } from '../../output/console.ts';
import { SCHEMA } from '../../output/schema.ts';
import type { Session } from '../../session.ts';

const DIRECTORY = 'candlekeep-demo';
/** The longest timer of Node: 24 days. */
const STAY_MS = 2_147_483_647;
const PORT_MIN = 1_024;
const PORT_MAX = 65_000;

interface DemoOptions {
  readonly once?: boolean;
  readonly serve?: boolean;
  readonly port: string;
  readonly fail: readonly string[];
}

export const demo: Action<DemoOptions> = async (session, options) => {
  if (options.once && options.serve)
    throw new ConfigurationError({ where: '--serve', expected: 'either --once or --serve', got: 'both' });
  const environment = await openDemoEnvironment(session, readPort(options.port));
  session.resources.defer(() => environment.close());
  const worlds = new Map(environment.exchanges.map(({ exchange, world }) => [exchange, world]));
  return play(session, environment, { options, failures: failurePlans(options.fail, worlds) });
};

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (port === 0 || (port >= PORT_MIN && port <= PORT_MAX)) return port;
  throw new ConfigurationError({
    where: '--port',
    expected: `0, or a port from ${PORT_MIN} to ${PORT_MAX}`,
    got: `"${text}"`,
  });
}

interface Play {
  readonly failures: ReadonlyMap<Exchange, FaultPlan>;
  readonly options: DemoOptions;
}

async function play(session: Session, environment: DemoEnvironment, { failures, options }: Play): Promise<Outcome> {
  if (!options.serve) {
    environment.exchange.standIn.plan(SCHEDULE);
    const { exit, isStopped } = await perform(session, environment);
    if (options.once || isStopped) return { exit, isStreamed: true };
  }
  for (const { exchange, standIn } of environment.exchanges) standIn.plan(failures.get(exchange) ?? NO_FAULTS);
  await stayUp(session, environment);
  return { exit: EXIT.done, isStreamed: true };
}

interface Performance {
  readonly exit: ExitCode;
  readonly isStopped: boolean;
}

/** Runs the demo in a data directory of its own, which is closed before the stand-ins stay up. */
async function perform(session: Session, environment: DemoEnvironment): Promise<Performance> {
  const base = await configure(session);
  const id = timeOrderedIds(session.clock, session.random).next('demo');
  const dataDir = resolve(session.io.cwd, session.options.dataDir ?? DIRECTORY, id);
  const configuration = { ...base, isDemo: true, settings: demoSettings(environment, dataDir) };
  const open = await openSession(session, configuration);
  const { exit, ...output } = await demoOutput(open, environment);
  open.screen.print(output);
  const ending = open.stoppedBy();
  await open.close();
  return { exit: ending === null ? exit : EXIT[ending], isStopped: ending !== null };
}

/** Until a signal. The variables go to standard output, for a shell to read; everything else is for a person. */
async function stayUp({ io, screen, clock }: Session, { exchanges }: DemoEnvironment): Promise<void> {
  const variables = exchanges.map(({ exchange, url }) => ({ exchange, variable: optionOf(urlKey(exchange)).env, url }));
  screen.note(
    `\nStand-ins with recorded candles, and with generated ones of the last ${RECENT_DAYS} days:\n` +
      spanTable(exchanges),
  );
  screen.note('\nThey stay up until Ctrl-C. In another terminal these lines point every command at them:');
  screen.print({
    document: { schema: SCHEMA, type: 'listening', exchanges: variables },
    text: variables.map(({ variable, url }) => `export ${variable}=${url}`).join('\n'),
  });
  const stop = new AbortController();
  const release = io.onStop(() => stop.abort());
  await clock.sleep(STAY_MS, stop.signal).catch(() => undefined);
  release();
}

const spanTable = (exchanges: DemoEnvironment['exchanges']): string =>
  table(
    ['exchange', 'symbol', 'interval', 'first day', 'last day', 'candles'],
    exchanges.flatMap(({ exchange, recorded }) =>
      recordedSpans(recorded).map((one) => [
        exchange,
        one.symbol,
        one.interval,
        one.firstDay,
        one.lastDay,
        one.candles,
      ]),
    ),
  );
