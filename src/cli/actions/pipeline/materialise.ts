import type { Configuration } from '../../../configuration/configuration.ts';
import { recentDays } from '../../../engine/core/chunks.ts';
import { resolveMarkets } from '../../../engine/core/symbol-resolution.ts';
import type { WorkRequest } from '../../../engine/core/work.ts';
import { estimate } from '../../../engine/plan/estimate.ts';
import { heal } from '../../../engine/runs/heal.ts';
import { materialise } from '../../../engine/runs/materialise.ts';
import { ConfigurationError } from '../../../errors/errors.ts';
import { SELECTIONS } from '../../../state/run-request.ts';
import type { Action, Outcome } from '../../command.ts';
import { EXIT } from '../../exit-code.ts';
import { configure, openSession } from '../../open-session.ts';
import { planDocument } from '../../output/documents.ts';
import { planTable } from '../../output/work-summary.ts';
import type { Session } from '../../session.ts';
import { readDay, readDays, scopeOf, type CommandScope, type ScopeOptions } from '../../work-options.ts';
import { workOutcome } from './work-outcome.ts';

interface WorkOptions extends ScopeOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export const runDay: Action<WorkOptions & { readonly date?: string }> = async (session, options) => {
  const configuration = await configure(session);
  const nowMs = session.clock.nowMs();
  const date = options.date === undefined ? null : readDay(options.date, '--date', nowMs);
  return work(session, configuration, {
    ...scopeOf(configuration, options),
    days: date === null ? recentDays(2, nowMs) : { start: date, end: date },
    selection: options.force ? 'all' : 'missing',
    waitPolicy: 'holes',
    trigger: 'manual',
    tags: {},
    options,
  });
};

interface BackfillOptions extends WorkOptions {
  readonly start: string;
  readonly end: string;
  readonly only: string;
}

export const backfill: Action<BackfillOptions> = async (session, options) => {
  const configuration = await configure(session);
  const days = readDays(options.start, options.end, session.clock.nowMs());
  const selection = options.force ? 'all' : readOnly(options.only);
  return work(session, configuration, {
    ...scopeOf(configuration, options),
    days,
    selection,
    waitPolicy: 'holes',
    trigger: 'backfill',
    tags: {},
    options,
  });
};

export const healNow: Action<{ readonly now?: boolean }> = async (session, options) => {
  const open = await openSession(session, await configure(session));
  const result = await heal(open.pipeline, { waitPolicy: options.now ? 'none' : 'all' }, open.control);
  return workOutcome(open, result, 'candlekeep heal --now');
};

function readOnly(text: string): WorkRequest['selection'] {
  const selection = SELECTIONS.find((one) => one === text);
  if (selection === undefined)
    throw new ConfigurationError({ where: '--only', expected: SELECTIONS.join(', '), got: `"${text}"` });
  return selection;
}

/** A request whose symbol patterns are not resolved yet, and the flags that made it. */
type WorkCommand = Omit<WorkRequest, 'markets'> & CommandScope & { readonly options: WorkOptions };

async function work(
  session: Session,
  configuration: Configuration,
  { choices, options, ...rest }: WorkCommand,
): Promise<Outcome> {
  const open = await openSession(session, configuration);
  const { pipeline, control } = open;
  const markets = await resolveMarkets(pipeline, {
    choices,
    freshness: options.dryRun ? 'any' : 'daily',
    signal: control.signal,
  });
  const request: WorkRequest = { ...rest, markets };
  if (options.dryRun) {
    const plan = await estimate(pipeline, request);
    return { exit: EXIT.done, document: planDocument(plan), text: () => planTable(plan) };
  }
  return workOutcome(open, await materialise(pipeline, request, control), resumeCommand(request, options));
}

/** The command that continues the same request. */
function resumeCommand({ days }: WorkRequest, options: WorkOptions): string {
  const flags = (['asset', 'exchange', 'symbol', 'interval'] as const).flatMap((name) =>
    options[name] === undefined ? [] : [`--${name} ${options[name]}`],
  );
  return ['candlekeep backfill', `--start ${days.start}`, `--end ${days.end}`, ...flags].join(' ');
}
