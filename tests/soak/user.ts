import { realClock } from '../../src/platform/node/system-clock.ts';
import type { Random } from '../../src/platform/ports/random.ts';
import { randomInt } from '../../src/platform/seeded-random.ts';
import { DAY_MS } from '../../src/domain/interval.ts';
import { dayOf } from '../../src/domain/partition.ts';
import { HISTORY_DAYS, SYMBOLS } from './market-world.ts';
import { documentOf, type OwnProcess, type Place, type Processes } from './processes.ts';

/** Somebody who looks at a data directory now and then, and fetches history. */
export interface User {
  /** Acts until the signal aborts. */
  act(signal: AbortSignal): Promise<void>;
  /** Pulls the plug of the command under way, if there is one here. */
  killCommand(place: Place): void;
  /** Days before today that were asked for in vain or not, counted backwards: all of them down to this one. */
  daysBack(place: Place): number;
  acts(): Readonly<Record<string, number>>;
  /** Exits that no command of a user should have had. */
  readonly surprises: readonly string[];
}

/** The daemon looks after today and the two days before it; history begins here. */
const FIRST_DAY_BACK = 3;
const PAUSE_MS_MIN = 4_000;
const PAUSE_MS_MAX = 16_000;

interface Act {
  readonly name: string;
  readonly weight: number;
  /** What it may end with: partial, refused, failed, of bad quality, unreachable and leased are honest answers in bad weather. */
  readonly exits: readonly number[];
  args(nextDay: () => string): readonly string[];
}

const WORK_EXITS = [0, 3, 4, 5, 6, 7, 9];
const ACTS: readonly Act[] = [
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

export function userOf(processes: Processes, places: readonly Place[], random: Random): User {
  const reached = new Map(places.map((place) => [place.name, FIRST_DAY_BACK - 1]));
  const acts: Record<string, number> = {};
  const surprises: string[] = [];
  let underWay: { readonly place: Place; readonly command: OwnProcess } | null = null;

  const run = async (place: Place, { name, exits, args }: Act): Promise<void> => {
    const nextDay = (): string => {
      const back = Math.min(HISTORY_DAYS, (reached.get(place.name) ?? 0) + 1);
      reached.set(place.name, back);
      return dayOf(realClock.nowMs() - back * DAY_MS);
    };
    const command = processes.start(place, args(nextDay));
    underWay = { place, command };
    const ended = await command.ended;
    underWay = null;
    acts[name] = (acts[name] ?? 0) + 1;
    if (!(ended.exit === null && command.signals.includes('SIGKILL')) && !exits.includes(ended.exit ?? -1))
      surprises.push(`${place.name}: ${command.args.join(' ')}: exit ${ended.exit}`);
  };
  return {
    act: async (signal) => {
      while (!(await pause(random, signal))) {
        const place = places[randomInt(random, places.length)] as Place;
        await run(place, draw(random));
        for (const one of places) {
          if (await isStopped(processes, one))
            await run(one, { name: 'resume', weight: 0, exits: [0], args: () => ['resume', '--json'] });
        }
      }
    },
    killCommand: (place) => {
      if (underWay?.place === place) processes.signal(underWay.command, 'SIGKILL');
    },
    daysBack: ({ name }) => reached.get(name) ?? 0,
    acts: () => acts,
    surprises,
  };
}

/** True once the signal has aborted. */
const pause = (random: Random, signal: AbortSignal): Promise<boolean> =>
  realClock.sleep(PAUSE_MS_MIN + random.next() * (PAUSE_MS_MAX - PAUSE_MS_MIN), signal).then(
    () => false,
    () => true,
  );

function draw(random: Random): Act {
  const lots = ACTS.flatMap((act) => Array.from({ length: act.weight }, () => act));
  return lots[randomInt(random, lots.length)] as Act;
}

/** A 401 stops everything until somebody says `resume`: who sees the alert does. */
async function isStopped(processes: Processes, place: Place): Promise<boolean> {
  const listed = documentOf(await processes.run(place, ['alerts', 'list', '--json'])) as {
    items?: readonly { code: string }[];
  } | null;
  return listed?.items?.some(({ code }) => code === 'UNAUTHORIZED') ?? false;
}
