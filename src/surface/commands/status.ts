import type { Command } from 'commander';
import { EXIT } from '../../engine/exit-code.ts';
import { ledgerTotals } from '../../faults/ledger/cells.ts';
import { countFaults } from '../../faults/ledger/fault-log.ts';
import { listRuns } from '../../faults/ledger/runs.ts';
import { removedSymbols } from '../../faults/ledger/symbols.ts';
import { count, table } from '../console.ts';
import { runDocument, SCHEMA } from '../documents.ts';
import type { CommandRunner } from '../program.ts';
import { configure, withPipeline } from '../session.ts';
import { examples } from '../help.ts';

const DAY_MS = 86_400_000;

export function addStatusCommand(program: Command, run: CommandRunner): void {
  run(program.command('status').description('What is stored, what is pending, and what went wrong in the last 24 hours').addHelpText('after', examples(['candlekeep status', 'candlekeep status --json'])), async (session) =>
    withPipeline(session, await configure(session), async ({ pipeline, screen, clock }) => {
      const { store } = pipeline.ports;
      const totals = await store.read('ledgerTotals', () => ledgerTotals());
      const faults = await store.read('countFaults', () => countFaults(clock.nowMs() - DAY_MS));
      const removed = await store.read('removedSymbols', () => removedSymbols());
      const [last] = await store.read('listRuns', () => listRuns(1));
      if (screen.isJson) {
        screen.document({ schema: SCHEMA, data_dir: pipeline.lake.root, stored: totals, faults_24h: faults, removed_symbols: removed, last_run: last === undefined ? null : runDocument(last) });
        return EXIT.done;
      }
      screen.data(`data     ${pipeline.lake.root}`);
      screen.data(totals.length === 0 ? 'stored   nothing yet: candlekeep run' : table(['exchange', 'interval', 'symbols', 'first day', 'last day', 'present', 'pending', 'quarantined'], totals.map((one) => [
        one.exchange, one.interval, one.symbols, one.firstDay, one.lastDay, one.present, one.pending, one.quarantined,
      ])));
      screen.data(`faults   ${faults.length === 0 ? 'none in the last 24 hours' : faults.map((one) => `${one.code} ${one.count}`).join(', ')}`);
      if (removed.length > 0) screen.data(`removed  ${removed.map((one) => `${one.exchange} ${one.symbol} (${one.reason})`).join(', ')}`);
      screen.data(last === undefined ? 'last run none' : `last run ${last.id} ${last.outcome ?? last.status}, ${count(last.assets.length, 'asset')}`);
      return EXIT.done;
    }));
}
