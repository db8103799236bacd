import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { timeOrderedIds } from '../../../platform/time-ordered-ids.ts';
import type { Exchange } from '../../../domain/exchange.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { EXIT, type ExitCode } from '../../exit-code.ts';
import { materialise } from '../../../engine/runs/materialise.ts';
import { heal } from '../../../engine/runs/heal.ts';
import type { WorkRequest } from '../../../engine/core/work.ts';
import { NO_FAULTS, type FaultPlan } from '../../../simulation/fault-plan.ts';
import { recordedSpans } from '../../../simulation/recordings.ts';
import type { Configuration } from '../../../configuration/configuration.ts';
import { COMMAND } from '../../command-name.ts';
import { count, table } from '../../output/console.ts';
import { failurePlans } from '../../demo/failures.ts';
import {
  DEMO,
  demoSettings,
  assessDemo,
  openDemoEnvironment,
  RECENT_DAYS,
  SCHEDULE,
  type DemoVerdict,
  type DemoEnvironment,
} from '../../demo/scenario.ts';
import { SCHEMA } from '../../output/documents.ts';
import { optionOf, urlKey } from '../../../configuration/options.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline, type OpenSession, type Session } from '../../session.ts';
import { accountText } from '../../output/reports.ts';
import { workSummary } from '../../output/work-summary.ts';
import { examples } from '../../help.ts';

const DIRECTORY = 'candlekeep-demo';
const STAY_MS = 2_147_483_647;
const PORT_MIN = 1_024;
const PORT_MAX = 65_000;

interface DemoOptions {
  readonly once?: boolean;
  readonly serve?: boolean;
  readonly port: string;
  readonly fail: readonly string[];
}

export function addDemoCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('demo')
      .description(
        "Recorded real candles from stand-in exchanges. Binance's misbehaves on schedule: ingest, heal, publish to a stand-in Hub; then all of them stay up for commands of your own",
      )
      .option('--once', 'end when the account is printed; exit 0 when it adds up')
      .option('--serve', 'only the stand-in exchanges: print their variables and stay up')
      .option('--port <n>', 'first of the ports the stand-ins listen on at 127.0.0.1; 0 for any free ones', '0')
      .option(
        '--fail <market=fault...>',
        "for your own commands: what the requests for a market's candles are answered with, such as okx:ETH/USDT=500, or SOL/USDT=silencex3 for the first three alone",
        [],
      )
      .addHelpText(
        'after',
        examples([
          'candlekeep demo --once',
          'candlekeep demo --serve > stand-ins.env',
          'candlekeep demo --serve --port 4690 --fail binance:SOL/USDT=500x4 coinbase:BTC/USD=html',
        ]),
      ),
    async (session, options: DemoOptions) => {
      if (options.once && options.serve)
        throw new ConfigurationError({ where: '--serve', expected: 'either --once or --serve', got: 'both' });
      const stage = await openDemoEnvironment(session, readPort(options.port));
      try {
        const failures = failurePlans(
          options.fail,
          new Map(stage.exchanges.map(({ exchange, world }) => [exchange, world])),
        );
        return await play(session, { stage, failures, options });
      } finally {
        await stage.close();
      }
    },
  );
}

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
  readonly stage: DemoEnvironment;
  readonly failures: ReadonlyMap<Exchange, FaultPlan>;
  readonly options: DemoOptions;
}

async function play(session: Session, { stage, failures, options }: Play): Promise<ExitCode> {
  if (!options.serve) {
    stage.asked.standIn.plan(SCHEDULE);
    const { exit, isStopped } = await perform(session, stage);
    if (options.once || isStopped) return exit;
  }
  for (const { exchange, standIn } of stage.exchanges) standIn.plan(failures.get(exchange) ?? NO_FAULTS);
  return stayUp(session, stage);
}

async function perform(
  session: Session,
  stage: DemoEnvironment,
): Promise<{ readonly exit: ExitCode; readonly isStopped: boolean }> {
  const base = await configure(session);
  const id = timeOrderedIds(session.clock, session.random).next('demo');
  const dataDir = resolve(session.io.cwd, session.options.dataDir ?? DIRECTORY, id);
  const configuration: Configuration = { ...base, isDemo: true, settings: demoSettings(stage, dataDir) };
  let isStopped = false;
  const exit = await withPipeline(session, configuration, async (open) => {
    const own = await act(open, stage);
    isStopped = open.stoppedBy() !== null;
    const ending = open.stoppedBy();
    return ending === null ? own : EXIT[ending];
  });
  return { exit, isStopped };
}

/** Until the process is asked to end. The variables go to standard output, for a shell to read; everything else is for a person. */
async function stayUp({ io, screen, clock }: Session, { exchanges }: DemoEnvironment): Promise<ExitCode> {
  const variables = exchanges.map(({ exchange, url }) => ({ exchange, variable: optionOf(urlKey(exchange)).env, url }));
  if (screen.isJson) screen.document({ schema: SCHEMA, type: 'listening', exchanges: variables });
  else {
    const recorded = exchanges.flatMap(({ exchange, recorded: world }) =>
      recordedSpans(world).map((one) => [exchange, one.symbol, one.interval, one.firstDay, one.lastDay, one.candles]),
    );
    screen.say(
      `\nStand-ins with recorded candles, and with made-up ones of the last ${RECENT_DAYS} days:\n${table(['exchange', 'symbol', 'interval', 'first day', 'last day', 'candles'], recorded)}`,
    );
    screen.say('\nThey stay up until Ctrl-C. In another terminal these lines turn every command to them:');
    screen.data(variables.map(({ variable, url }) => `export ${variable}=${url}`).join('\n'));
  }
  const stop = new AbortController();
  const release = io.onStop(() => stop.abort());
  await clock.sleep(STAY_MS, stop.signal).catch(() => undefined);
  release();
  return EXIT.done;
}

async function act(open: OpenSession, stage: DemoEnvironment): Promise<ExitCode> {
  const { pipeline, screen, control } = open;
  const say = (text: string): void => (screen.isJson ? undefined : screen.data(text));
  const work: WorkRequest = {
    days: DEMO.days,
    markets: pipeline.settings.markets,
    intervals: [DEMO.interval],
    selection: 'missing',
    waitPolicy: 'holes',
    assets: ['bronze', 'silver', 'gold'],
    trigger: 'demo',
    tags: {},
  };
  say(
    screen.colour(
      'bold',
      `1. ${DEMO.symbols.join(', ')}: ${DEMO.days.start} to ${DEMO.days.end} at ${DEMO.interval}, from an exchange that throttles, resets, lies and goes silent`,
    ),
  );
  const first = await materialise(pipeline, work, control);
  say(workSummary(screen, first, null));

  say(screen.colour('bold', '\n2. Healing asks again for exactly what is missing'));
  const healed = await heal(pipeline, { waitPolicy: 'none' }, control);
  say(workSummary(screen, healed, null));

  say(screen.colour('bold', '\n3. The same request once more'));
  const asked = stage.asked.standIn.log.length;
  const again = await materialise(pipeline, work, control);
  say(`${count(stage.asked.standIn.log.length - asked, 'request')} to the exchange, ${again.pending} pending`);

  const verdict = await assessDemo(pipeline, stage, [...first.runs, ...healed.runs, ...again.runs]);
  const exit = verdict.addsUp ? EXIT.done : EXIT.partial;
  const place = relative(open.io.cwd, pipeline.lake.root) || '.';
  if (screen.isJson)
    screen.document({ schema: SCHEMA, ok: verdict.addsUp, exit, data_dir: pipeline.lake.root, ...verdict });
  else say(`\n${verdictText(screen, verdict, place)}`);
  return exit;
}

function verdictText(
  screen: OpenSession['screen'],
  { account, comparison, faults, commits, isPublished, addsUp }: DemoVerdict,
  place: string,
): string {
  return [
    screen.colour('bold', 'The account'),
    accountText(account),
    `against the recording: ${comparison.lost} lost, ${comparison.doubled} doubled, ${comparison.invented} invented, ${comparison.wrong} wrong`,
    '',
    table(
      ['fault', 'injected', 'in the fault log'],
      faults.map((one) => [one.code, one.injected, one.logged]),
    ),
    '',
    `dataset   ${isPublished ? `published with ${count(commits, 'commit')}, byte for byte what is on disk` : 'not published'} (the Hub failed once and lost one answer)`,
    `files     ${place}/silver  ${place}/gold  ${place}/bronze`,
    `look      ${COMMAND} --data-dir ${place} status`,
    screen.colour(addsUp ? 'green' : 'red', addsUp ? 'every candle, accounted for' : 'the account does not add up'),
  ].join('\n');
}
