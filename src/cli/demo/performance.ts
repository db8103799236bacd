import { relative } from 'node:path';
import type { WorkRequest } from '../../engine/core/work.ts';
import { heal } from '../../engine/runs/heal.ts';
import { materialise } from '../../engine/runs/materialise.ts';
import { COMMAND } from '../command-name.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { OpenSession } from '../open-session.ts';
import { count, table, type Console, type Output } from '../output/console.ts';
import { accountText } from '../output/sections.ts';
import { SCHEMA } from '../output/schema.ts';
import { workSummary } from '../output/work-summary.ts';
import { DEMO, type DemoEnvironment } from './scenario.ts';
import { assessDemo, type DemoVerdict } from './verdict.ts';

/** Runs the three acts of the demo, printing each for a person, and returns what it proves. */
export async function demoOutput(
  open: OpenSession,
  environment: DemoEnvironment,
): Promise<Output & { readonly exit: ExitCode }> {
  const { pipeline, screen, control } = open;
  const { days, symbols, interval } = DEMO;
  const work: WorkRequest = {
    days,
    markets: pipeline.settings.markets,
    intervals: [interval],
    selection: 'missing',
    waitPolicy: 'holes',
    assets: ['bronze', 'silver', 'gold'],
    trigger: 'demo',
    tags: {},
  };
  screen.text(
    screen.colour(
      'bold',
      `1. ${symbols.join(', ')}: ${days.start} to ${days.end} at ${interval}, from an exchange that throttles, ` +
        'resets, lies and goes silent',
    ),
  );
  const first = await materialise(pipeline, work, control);
  screen.text(workSummary(screen, first, null));

  screen.text(screen.colour('bold', '\n2. Healing requests exactly what is missing'));
  const healed = await heal(pipeline, { waitPolicy: 'none' }, control);
  screen.text(workSummary(screen, healed, null));

  screen.text(screen.colour('bold', '\n3. The same request once more'));
  const before = environment.exchange.standIn.log.length;
  const again = await materialise(pipeline, work, control);
  const requests = environment.exchange.standIn.log.length - before;
  screen.text(`${count(requests, 'request')} to the exchange, ${again.pending} pending`);

  const verdict = await assessDemo(pipeline, environment, [...first.runs, ...healed.runs, ...again.runs]);
  const exit = verdict.addsUp ? EXIT.done : EXIT.partial;
  const place = relative(open.io.cwd, pipeline.lake.root) || '.';
  return {
    exit,
    document: { schema: SCHEMA, ok: verdict.addsUp, exit, data_dir: pipeline.lake.root, ...verdict },
    text: () => `\n${verdictText(screen, verdict, place)}`,
  };
}

function verdictText(screen: Console, verdict: DemoVerdict, place: string): string {
  const { account, comparison, faults, commits, isPublished, addsUp } = verdict;
  const { lost, doubled, invented, wrong } = comparison;
  const dataset = isPublished
    ? `published with ${count(commits, 'commit')}, byte for byte the files on disk`
    : 'not published';
  return [
    screen.colour('bold', 'The account'),
    accountText(account),
    `against the recording: ${lost} lost, ${doubled} doubled, ${invented} invented, ${wrong} wrong`,
    '',
    table(
      ['fault', 'injected', 'in the fault log'],
      faults.map((one) => [one.code, one.injected, one.logged]),
    ),
    '',
    `dataset   ${dataset} (the Hub failed once and lost one response)`,
    `files     ${place}/silver  ${place}/gold  ${place}/bronze`,
    `look      ${COMMAND} --data-dir ${place} status`,
    screen.colour(addsUp ? 'green' : 'red', addsUp ? 'every candle, accounted for' : 'the account does not add up'),
  ].join('\n');
}
