import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { timeOrderedIds } from '../../kernel/ids.ts';
import { freshRandom } from '../../kernel/random.ts';
import { EXIT, type ExitCode } from '../../engine/exit-code.ts';
import { materialise } from '../../engine/materialise.ts';
import { heal } from '../../engine/recovery-turn.ts';
import type { WorkRequest } from '../../engine/work.ts';
import type { Configuration } from '../configuration.ts';
import { count, table } from '../console.ts';
import { DEMO, demoSettings, judgeDemo, openStage, type DemoVerdict, type Stage } from '../demo.ts';
import { SCHEMA } from '../documents.ts';
import type { CommandRunner } from '../program.ts';
import { configure, withPipeline, type OpenSession, type Session } from '../session.ts';
import { accountText } from '../stories.ts';
import { workSummary } from '../work-summary.ts';
import { examples } from '../help.ts';

const DIRECTORY = 'candlekeep-demo';
const STAY_MS = 2_147_483_647;

export function addDemoCommand(program: Command, run: CommandRunner): void {
  run(program.command('demo')
    .description('Recorded real candles from a stand-in exchange that misbehaves on schedule: ingest, heal, publish to a stand-in Hub')
    .option('--once', 'end when the account is printed; exit 0 when it adds up')
    .addHelpText('after', examples(['candlekeep demo --once', 'candlekeep demo'])),
  async (session, options: { readonly once?: boolean }) => {
    const stage = await openStage(session.clock);
    try {
      return await perform(session, stage, options);
    } finally {
      await stage.close();
    }
  });
}

async function perform(session: Session, stage: Stage, options: { readonly once?: boolean }): Promise<ExitCode> {
  const base = await configure(session);
  const id = timeOrderedIds(session.clock, freshRandom()).next('demo');
  const dataDir = resolve(session.io.cwd, session.options.dataDir ?? DIRECTORY, id);
  const configuration: Configuration = { ...base, isDemo: true, settings: demoSettings(stage, dataDir) };
  return withPipeline(session, configuration, async (open) => {
    const exit = await act(open, stage);
    if (options.once || open.stoppedBy() !== null) return open.stoppedBy() ?? exit;
    open.screen.say(`\nThe stand-in exchange stays up at ${stage.exchangeUrl}; Ctrl-C ends it. Try, in another terminal:\n  CANDLEKEEP_BINANCE_URL=${stage.exchangeUrl} candlekeep backfill --start 2024-06-01 --end 2024-06-30`);
    await open.clock.sleep(STAY_MS, open.control.signal).catch(() => undefined);
    return EXIT.done;
  });
}

async function act(open: OpenSession, stage: Stage): Promise<ExitCode> {
  const { pipeline, screen, control } = open;
  const say = (text: string): void => (screen.isJson ? undefined : screen.data(text));
  const work: WorkRequest = {
    days: DEMO.days, markets: pipeline.settings.markets, intervals: [DEMO.interval], selection: 'missing', keptWaits: 'holes',
    assets: ['bronze', 'silver', 'gold'], trigger: 'demo', tags: {},
  };
  say(screen.colour('bold', `1. ${DEMO.symbols.join(', ')}: ${DEMO.days.start} to ${DEMO.days.end} at ${DEMO.interval}, from an exchange that throttles, resets, lies and goes silent`));
  const first = await materialise(pipeline, work, control);
  say(workSummary(screen, first, null));

  say(screen.colour('bold', '\n2. Healing asks again for exactly what is missing'));
  const healed = await heal(pipeline, { keptWaits: 'none' }, control);
  say(workSummary(screen, healed, null));

  say(screen.colour('bold', '\n3. The same request once more'));
  const asked = stage.exchange.log.length;
  const again = await materialise(pipeline, work, control);
  say(`${count(stage.exchange.log.length - asked, 'request')} to the exchange, ${again.pending} pending`);

  const verdict = await judgeDemo(pipeline, stage, [...first.runs, ...healed.runs, ...again.runs]);
  const exit = verdict.addsUp ? EXIT.done : EXIT.partial;
  const place = relative(open.io.cwd, pipeline.lake.root) || '.';
  if (screen.isJson) screen.document({ schema: SCHEMA, ok: verdict.addsUp, exit, data_dir: pipeline.lake.root, ...verdict });
  else say(`\n${verdictText(screen, verdict, place)}`);
  return exit;
}

function verdictText(screen: OpenSession['screen'], { account, comparison, faults, commits, isPublished, addsUp }: DemoVerdict, place: string): string {
  return [
    screen.colour('bold', 'The account'),
    accountText(account),
    `against the recording: ${comparison.lost} lost, ${comparison.doubled} doubled, ${comparison.invented} invented, ${comparison.wrong} wrong`,
    '',
    table(['fault', 'injected', 'in the fault log'], faults.map((one) => [one.code, one.injected, one.logged])),
    '',
    `dataset   ${isPublished ? `published with ${count(commits, 'commit')}, byte for byte what is on disk` : 'not published'} (the Hub failed once and lost one answer)`,
    `files     ${place}/silver  ${place}/gold  ${place}/bronze`,
    `look      candlekeep --data-dir ${place} status`,
    screen.colour(addsUp ? 'green' : 'red', addsUp ? 'every candle, accounted for' : 'the account does not add up'),
  ].join('\n');
}
