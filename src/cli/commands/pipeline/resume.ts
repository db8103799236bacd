import type { Command } from 'commander';
import { EXIT } from '../../exit-code.ts';
import { liftHalts } from '../../../state/halts.ts';
import { isoTime, SCHEMA } from '../../output/documents.ts';
import type { CommandRunner } from '../../program.ts';
import { configure, withPipeline } from '../../session.ts';
import { examples } from '../../help.ts';

export function addResumeCommand(program: Command, run: CommandRunner): void {
  run(
    program
      .command('resume')
      .description('Lift the durable stop that a refused key has left, so that exchanges are asked again')
      .addHelpText('after', examples(['candlekeep resume', 'candlekeep resume --json'])),
    async (session) =>
      withPipeline(session, await configure(session), async ({ pipeline, screen, clock }) => {
        const stops = await pipeline.ports.store.transact('liftStops', () => liftHalts(clock.nowMs()));
        if (screen.isJson) {
          const lifted = stops.map(({ exchange, code, message, runId, givenAtMs }) => ({
            exchange,
            code,
            message,
            run_id: runId,
            given_at: isoTime(givenAtMs),
          }));
          screen.document({ schema: SCHEMA, ok: true, exit: EXIT.done, lifted });
          return EXIT.done;
        }
        if (stops.length === 0) screen.data('nothing to lift: no stop stands');
        for (const stop of stops)
          screen.data(
            `lifted: ${stop.message} (${stop.exchange}, since ${isoTime(stop.givenAtMs)})\nnext: candlekeep run`,
          );
        return EXIT.done;
      }),
  );
}
