import { realClock } from '../../src/platform/node/system-clock.ts';
import type { Random } from '../../src/platform/ports/random.ts';
import { randomInt } from '../../src/platform/seeded-random.ts';
import { DAY_MS } from '../../src/domain/interval.ts';
import { dayOf } from '../../src/domain/partition.ts';
import { HISTORY_DAYS, SYMBOLS } from './market-world.ts';
import { documentOf, type OwnProcess, type Processes, type Site } from './processes.ts';

/** A simulated user, who inspects the data directories now and then and backfills history. */
export interface User {
  /** Acts until the signal aborts. */
  act(signal: AbortSignal): Promise<void>;
  /** Kills the command under way, if it runs on this data directory. */
  killCommand(site: Site): void;
  /** How many days before today a backfill was started for, whether it succeeded or not. */
  daysBack(site: Site): number;
  /** How often each command was run. */
  commands(): Readonly<Record<string, number>>;
  /** Exit codes that the user's commands may not have. */
  readonly violations: readonly string[];
}

/** The daemon fetches today and the two days before; history begins here. */
const FIRST_DAY_BACK = 3;
const PAUSE_MS_MIN = 4_000;
const PAUSE_MS_MAX = 16_000;

interface UserCommand {
  readonly name: string;
  readonly weight: number;
  /** Exit codes it may end with. Under faults, work on data may also be partial, fail, or find leased cells. */
  readonly exits: readonly number[];
  args(nextDay: () => string): readonly string[];
}

const WORK_EXITS = [0, 3, 4, 5, 6, 7, 9];
const COMMANDS: readonly UserCommand[] = [
  {
    name: 'backfill',
    weight: 5,
    exits: WORK_EXITS,
    args: (nextDay) => {
      const day = nextDay();
      return ['backfill', '--start', day, '--end', day, '--json'];
    },
  },
  { name: 'check-gaps', weight: 2, exits: [0, 3], args: () => ['check-gaps', '--hours', '48', '--json'] },
  {
    name: 'check-gaps --verify',
    weight: 1,
    exits: [0, 3],
    args: () => ['check-gaps', '--hours', '48', '--verify', '--json'],
  },
  { name: 'status', weight: 2, exits: [0], args: () => ['status', '--json'] },
  { name: 'heal', weight: 1, exits: WORK_EXITS, args: () => ['heal', '--json'] },
  { name: 'metrics', weight: 1, exits: [0], args: () => ['metrics'] },
  {
    name: 'candles',
    weight: 1,
    exits: [0],
    args: () => [
      'candles',
      SYMBOLS[0] ?? '',
      '--exchange',
      'okx',
      '--interval',
      '1m',
      '--from',
      dayOf(realClock.nowMs() - DAY_MS),
      '--to',
      dayOf(realClock.nowMs()),
      '--format',
      'csv',
    ],
  },
];

export function userOf(processes: Processes, sites: readonly Site[], random: Random): User {
  const reached = new Map(sites.map((site) => [site.name, FIRST_DAY_BACK - 1]));
  const commands: Record<string, number> = {};
  const violations: string[] = [];
  let underWay: { readonly site: Site; readonly command: OwnProcess } | null = null;

  const run = async (site: Site, { name, exits, args }: UserCommand): Promise<void> => {
    const nextDay = (): string => {
      const back = Math.min(HISTORY_DAYS, (reached.get(site.name) ?? 0) + 1);
      reached.set(site.name, back);
      return dayOf(realClock.nowMs() - back * DAY_MS);
    };
    const command = processes.start(site, args(nextDay));
    underWay = { site, command };
    const ended = await command.ended;
    underWay = null;
    commands[name] = (commands[name] ?? 0) + 1;
    if (!(ended.exit === null && command.signals.includes('SIGKILL')) && !exits.includes(ended.exit ?? -1))
      violations.push(`${site.name}: ${command.args.join(' ')}: exit ${ended.exit}`);
  };
  return {
    act: async (signal) => {
      while (!(await pause(random, signal))) {
        const site = sites[randomInt(random, sites.length)] as Site;
        await run(site, draw(random));
        for (const one of sites) {
          if (await isHalted(processes, one))
            await run(one, { name: 'resume', weight: 0, exits: [0], args: () => ['resume', '--json'] });
        }
      }
    },
    killCommand: (site) => {
      if (underWay?.site === site) processes.signal(underWay.command, 'SIGKILL');
    },
    daysBack: ({ name }) => reached.get(name) ?? 0,
    commands: () => commands,
    violations,
  };
}

/** True once the signal has aborted. */
const pause = (random: Random, signal: AbortSignal): Promise<boolean> =>
  realClock.sleep(PAUSE_MS_MIN + random.next() * (PAUSE_MS_MAX - PAUSE_MS_MIN), signal).then(
    () => false,
    () => true,
  );

function draw(random: Random): UserCommand {
  const lots = COMMANDS.flatMap((command) => Array.from({ length: command.weight }, () => command));
  return lots[randomInt(random, lots.length)] as UserCommand;
}

/** A 401 halts everything until `resume`, which the user runs on seeing the alert. */
async function isHalted(processes: Processes, site: Site): Promise<boolean> {
  const listed = documentOf(await processes.run(site, ['alerts', 'list', '--json'])) as {
    items?: readonly { code: string }[];
  } | null;
  return listed?.items?.some(({ code }) => code === 'UNAUTHORIZED') ?? false;
}
