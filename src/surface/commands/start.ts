import type { Command } from 'commander';
import { runDaemon, type Turn } from '../../engine/daemon.ts';
import { EXIT } from '../../engine/exit-code.ts';
import { resolveMarkets } from '../../engine/market-resolution.ts';
import { count, type Console } from '../console.ts';
import { isoTime, workDocument } from '../documents.ts';
import { examples } from '../help.ts';
import type { CommandRunner } from '../program.ts';
import { configure, withPipeline } from '../session.ts';

export function addStartCommand(program: Command, run: CommandRunner): void {
  run(program.command('start')
    .description('Keep the data directory fresh and whole until stopped: candles when they have closed, healing every minute')
    .addHelpText('after', examples(['candlekeep start', 'candlekeep start --json | jq .loop'])),
  async (session) => {
    const configuration = await configure(session);
    return withPipeline(session, configuration, async ({ pipeline, screen, control, stoppedBy }) => {
      screen.say(`keeping ${pipeline.lake.root}; Ctrl-C or SIGTERM stops it, and the next start goes on from there`);
      await runDaemon(pipeline, {
        intervals: configuration.settings.intervals,
        markets: (signal) => resolveMarkets(pipeline, { choices: configuration.choices, freshness: 'daily', signal }),
        onTurn: (turn) => tell(screen, turn),
      }, control);
      if (screen.isJson) screen.document({ type: 'result', ok: true, exit: stoppedBy() ?? EXIT.done });
      return stoppedBy() ?? EXIT.done;
    });
  });
}

/** A turn that found nothing to do is not worth a line, except for scripts. */
function tell(screen: Console, { loop, startedAtMs, result }: Turn): void {
  if (screen.isJson) {
    screen.document({ type: 'turn', loop, started_at: isoTime(startedAtMs), ...workDocument(result, null) });
    return;
  }
  const rows = result.runs.flatMap((one) => one.assets.filter(({ asset }) => asset.startsWith('bronze'))).reduce((sum, asset) => sum + asset.output_rows, 0);
  if (result.runs.length === 0 || (rows === 0 && result.exit === EXIT.done)) return;
  const outcome = result.runs.map((one) => one.outcome).join(', ');
  screen.say(`${isoTime(startedAtMs)}  ${loop}  ${outcome}  ${count(rows, 'row')}, ${count(result.pending, 'candle')} pending${result.error === null ? '' : `  ${result.error.code}: ${result.error.message}`}`);
}
