import type { Command } from 'commander';
import { EXIT } from '../../exit-code.ts';
import { retryRun } from '../../../engine/runs/heal.ts';
import { faultsOfRun } from '../../../state/fault-log.ts';
import { listRuns, readRun, requestCancel } from '../../../state/runs.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { table } from '../../output/console.ts';
import { faultDocument, isoTime, listDocument, runDocument, runErrorDocument, SCHEMA } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { report } from '../pipeline/materialise.ts';
import { configure, withPipeline, type OpenSession } from '../../session.ts';
import { examples } from '../../help.ts';

const RUNS_SHOWN = 20;
const FAULTS_SHOWN_MAX = 1_000;

export function addRunsCommand(program: Command, run: CommandRunner): void {
  const runs = program
    .command('runs')
    .description('Past and present runs')
    .addHelpText(
      'after',
      examples([
        'candlekeep runs list',
        'candlekeep runs show run_0lx2k3j4h5g6f7',
        'candlekeep runs retry run_0lx2k3j4h5g6f7',
      ]),
    );
  run(
    runs
      .command('list')
      .description('The newest runs: days, trigger, outcome')
      .option('--limit <n>', 'how many', String(RUNS_SHOWN))
      .addHelpText('after', examples(['candlekeep runs list', 'candlekeep runs list --limit 100 --json'])),
    async (session, options: { readonly limit: string }) => {
      const limit = Number(options.limit);
      if (!Number.isInteger(limit) || limit < 1)
        throw new ConfigurationError({
          where: '--limit',
          expected: 'a whole number above 0',
          got: `"${options.limit}"`,
        });
      return withPipeline(session, await configure(session), async ({ pipeline, screen }) => {
        const items = await pipeline.ports.store.read('listRuns', () => listRuns(limit));
        if (screen.isJson) screen.document(listDocument(items.map(runDocument)));
        else
          screen.data(
            table(
              ['run', 'days', 'interval', 'trigger', 'outcome', 'started'],
              items.map((one) => [
                one.id,
                `${one.partition}..${one.partitionEnd}`,
                one.interval,
                one.trigger,
                one.outcome ?? one.status,
                isoTime(one.startedAtMs) ?? '-',
              ]),
            ),
          );
        return EXIT.done;
      });
    },
  );
  run(
    runs
      .command('show <run>')
      .description('One run with its assets and every fault it met')
      .addHelpText(
        'after',
        examples(['candlekeep runs show run_0lx2k3j4h5g6f7', 'candlekeep runs show run_0lx2k3j4h5g6f7 --json']),
      ),
    async (session, _options, [id = '']) =>
      withPipeline(session, await configure(session), async (open) => show(open, id)),
  );
  run(
    runs
      .command('retry <run>')
      .description('Ask again for what of a run is still missing, as a new run that names the old one')
      .addHelpText('after', examples(['candlekeep runs retry run_0lx2k3j4h5g6f7'])),
    async (session, _options, [id = '']) =>
      withPipeline(session, await configure(session), async (open) => {
        const before = await open.pipeline.ports.store.read('readRun', () => readRun(id));
        if (before === null) throw unknownRun(id, 'a run');
        return report(open, await retryRun(open.pipeline, before, open.control), `candlekeep runs retry ${id}`);
      }),
  );
  run(
    runs
      .command('cancel <run>')
      .description('Ask a run that is under way, in whichever process, to stop; what is complete is kept')
      .addHelpText('after', examples(['candlekeep runs cancel run_0lx2k3j4h5g6f7'])),
    async (session, _options, [id = '']) =>
      withPipeline(session, await configure(session), async ({ pipeline, screen }) => {
        const wasActive = await pipeline.ports.store.transact('requestCancel', () => requestCancel(id));
        if (!wasActive) throw unknownRun(id, 'a run that is under way');
        if (screen.isJson) screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done });
        else screen.data(`${id} is asked to stop`);
        return EXIT.done;
      }),
  );
}

export const unknownRun = (id: string, expected: string): ConfigurationError =>
  new ConfigurationError({ where: '<run>', expected: `${expected} (candlekeep runs list)`, got: `"${id}"` });

async function show({ pipeline, screen }: OpenSession, id: string): Promise<typeof EXIT.done> {
  const run = await pipeline.ports.store.read('readRun', () => readRun(id));
  if (run === null) throw unknownRun(id, 'a run');
  const faults = await pipeline.ports.store.read('faultsOfRun', () => faultsOfRun(id, FAULTS_SHOWN_MAX));
  if (screen.isJson) {
    screen.document({
      schema: SCHEMA,
      ...runDocument(run),
      error: runErrorDocument(run),
      faults: faults.map(faultDocument),
    });
    return EXIT.done;
  }
  screen.data(
    `${run.id}  ${run.interval}  ${run.partition}..${run.partitionEnd}  ${run.trigger}  ${run.outcome ?? run.status}`,
  );
  for (const asset of run.assets)
    screen.data(
      `  ${asset.asset}  ${asset.outcome}  in ${asset.input_rows}, out ${asset.output_rows}, removed ${asset.removed_rows}`,
    );
  if (faults.length > 0) {
    screen.data(
      table(
        ['at', 'code', 'symbol', 'request', 'decision', 'wait'],
        faults.map((fault) => [
          isoTime(fault.atMs) ?? '',
          fault.record.code,
          fault.symbol ?? '-',
          fault.attempt ?? '-',
          fault.decision,
          fault.waitMs === null ? '-' : `${fault.waitMs} ms`,
        ]),
      ),
    );
  }
  if (run.error !== null)
    screen.data(
      `ended by ${run.error.code}: ${run.error.message}${run.error.stack === null ? '' : `\n${run.error.stack}`}`,
    );
  return EXIT.done;
}
