import type { Command } from 'commander';
import { EXIT } from '../../exit-code.ts';
import { firingAlerts } from '../../../alerting/model/alerts.ts';
import { ledgerTotals } from '../../../state/cells.ts';
import { countFaults } from '../../../state/fault-log.ts';
import { listRuns } from '../../../state/runs.ts';
import { removedSymbols } from '../../../state/symbols.ts';
import { count, table } from '../../output/console.ts';
import { isoTime, runDocument, SCHEMA } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline, type OpenSession } from '../../session.ts';
import { examples } from '../../help.ts';
import { DAY_MS } from '../../../domain/interval.ts';

/** How often --watch looks again. Unit: milliseconds. */
const WATCH_EVERY_MS = 2_000;

export function addStatusCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('status')
      .description('What is stored, what is pending, what is wrong now, and what went wrong in the last 24 hours')
      .option('--watch', 'look again every two seconds until stopped')
      .addHelpText('after', examples(['candlekeep status', 'candlekeep status --json', 'candlekeep status --watch'])),
    async (session, options: { readonly watch?: boolean }) =>
      withPipeline(session, await configure(session), async (open) => {
        await show(open);
        while (options.watch && !open.control.signal.aborted) {
          await open.clock.sleep(WATCH_EVERY_MS, open.control.signal).catch(() => undefined);
          if (open.control.signal.aborted) break;
          if (open.screen.isLive && open.io.stdout.isTTY) open.screen.data(CLEAR);
          await show(open);
        }
        return EXIT.done;
      }),
  );
}

/** Cursor home, everything below gone. */
const CLEAR = '\u001B[H\u001B[2J';

async function show({ pipeline, screen, clock }: OpenSession): Promise<void> {
  const { last, firing, totals, faults, removed } = await pipeline.ports.store.read('status', function* () {
    const [last] = yield* listRuns(1);
    return {
      last,
      firing: yield* firingAlerts(),
      totals: yield* ledgerTotals(),
      faults: yield* countFaults(clock.nowMs() - DAY_MS),
      removed: yield* removedSymbols(),
    };
  });
  if (screen.isJson) {
    const alerts = firing.map(({ fingerprint, level, facts, firedAtMs }) => ({
      fingerprint,
      level,
      summary: facts.summary,
      fired_at: isoTime(firedAtMs),
    }));
    screen.document({
      schema: SCHEMA,
      data_dir: pipeline.lake.root,
      stored: totals,
      alerts,
      faults_24h: faults,
      removed_symbols: removed,
      last_run: last === undefined ? null : runDocument(last),
    });
    return;
  }
  screen.data(`data     ${pipeline.lake.root}`);
  screen.data(
    totals.length === 0
      ? 'stored   nothing yet: candlekeep run'
      : table(
          ['exchange', 'interval', 'symbols', 'first day', 'last day', 'present', 'pending', 'quarantined'],
          totals.map((one) => [
            one.exchange,
            one.interval,
            one.symbols,
            one.firstDay,
            one.lastDay,
            one.present,
            one.pending,
            one.quarantined,
          ]),
        ),
  );
  screen.data(
    `alerts   ${firing.length === 0 ? 'nothing fires' : firing.map(({ level, fingerprint }) => `[${level.toUpperCase()}] ${fingerprint}`).join(', ')}`,
  );
  screen.data(
    `faults   ${faults.length === 0 ? 'none in the last 24 hours' : faults.map((one) => `${one.code} ${one.count}`).join(', ')}`,
  );
  if (removed.length > 0)
    screen.data(`removed  ${removed.map((one) => `${one.exchange} ${one.symbol} (${one.reason})`).join(', ')}`);
  screen.data(
    last === undefined
      ? 'last run none'
      : `last run ${last.id} ${last.outcome ?? last.status}, ${count(last.assets.length, 'asset')}`,
  );
}
