import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { seededRandom } from '../../src/platform/seeded-random.ts';
import { DAY_MS } from '../../src/domain/interval.ts';
import { dayOf } from '../../src/domain/partition.ts';
import { daemonOn, killAgainAndAgain, type Daemon } from './daemons.ts';
import { rangeAround, truthOf } from './market-world.ts';
import { growthOfStaying, growthOverLifetimes, WARM_UP_RATIO, type Growth, type MemorySample } from './memory.ts';
import { readOptions, USAGE, type SoakOptions } from './options.ts';
import { documentOf, ownProcesses, type Place, type Processes } from './processes.ts';
import { startStandIns, type StandInsProcess } from './stand-ins-process.ts';
import { userOf, type User } from './user.ts';
import { assessPlace, looksBack, type Finding } from './assessment.ts';

const SAMPLE_EVERY_MS = 1_000;
const PROGRESS_EVERY_MS = 30_000;
/** Resident memory may grow by less than this after warm-up. */
const GROWTH_RATIO_MAX = 0.1;

const say = (line: string): void => console.log(line);
const megabytes = (kb: number): string => `${Math.round(kb / 1_024)} MB`;

interface Stage {
  readonly options: SoakOptions;
  readonly standIns: StandInsProcess;
  readonly processes: Processes;
  readonly user: User;
  readonly killed: Daemon;
  readonly staying: Daemon;
  readonly beganAtMs: number;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const root = mkdtempSync(join(tmpdir(), 'candlekeep-soak-'));
  const standIns = startStandIns();
  const processes = ownProcesses();
  endWith(processes);
  const beganAtMs = realClock.nowMs();
  const range = rangeAround(beganAtMs);
  say(
    `soak of ${options.spanMs / 60_000} min, seed ${options.seed}, a kill -9 every ${options.killEveryMs / 1_000} s on average, data in ${root}`,
  );
  const placeOf = async (name: string): Promise<Place> => ({
    name,
    dataDir: join(root, name),
    logDir: join(root, `${name}-logs`),
    env: await standIns.open(name, {
      seed: options.seed,
      season: { fromMs: beganAtMs, spanMs: options.spanMs },
      range,
    }),
  });
  const [killedPlace, stayingPlace] = [await placeOf('killed'), await placeOf('staying')];
  const user = userOf(processes, [killedPlace, stayingPlace], seededRandom(`${options.seed}/user`));
  const stage: Stage = {
    options,
    standIns,
    processes,
    user,
    beganAtMs,
    killed: daemonOn(processes, killedPlace, beganAtMs),
    staying: daemonOn(processes, stayingPlace, beganAtMs),
  };
  try {
    await stormyPart(stage);
    const healedAfterMs = await calmPart(stage);
    const findings = [...(await endPart(stage)), ...memoryFindings(stage), ...processFindings(stage, healedAfterMs)];
    return verdictOf(findings, options);
  } finally {
    for (const daemon of [stage.killed, stage.staying]) await daemon.kill();
    await standIns.close();
    if (options.keep) say(`kept: ${root}`);
    else rmSync(root, { recursive: true, force: true });
  }
}

/** Whoever ends the soak ends what it started. */
function endWith(processes: Processes): void {
  process.on('exit', () => processes.killAll());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
}

/** Faults, kills and a user, while memory is watched. */
async function stormyPart(stage: Stage): Promise<void> {
  const { options, user, killed, staying } = stage;
  const over = new AbortController();
  const random = seededRandom(`${options.seed}/kills`);
  const work = Promise.all([
    killAgainAndAgain(killed, {
      random,
      killEveryMs: options.killEveryMs,
      alsoKill: () => user.killCommand(killed.place),
      signal: over.signal,
    }),
    user.act(over.signal),
    every(SAMPLE_EVERY_MS, over.signal, () => [killed, staying].forEach((daemon) => daemon.sample())),
    every(PROGRESS_EVERY_MS, over.signal, async () => say(await progressLine(stage))),
  ]);
  await Promise.race([realClock.sleep(options.spanMs), work]);
  over.abort(new Error('the soak is over'));
  await work;
}

async function every(waitMs: number, signal: AbortSignal, act: () => unknown): Promise<void> {
  for (;;) {
    const isOver = await realClock.sleep(waitMs, signal).then(
      () => false,
      () => true,
    );
    if (isOver) return;
    await act();
  }
}

async function progressLine({ beganAtMs, killed, staying, standIns, processes, user }: Stage): Promise<string> {
  const elapsedS = Math.round((realClock.nowMs() - beganAtMs) / 1_000);
  const rss = (daemon: Daemon): string => megabytes(daemon.lives.at(-1)?.samples.at(-1)?.rssKb ?? 0);
  const reports = [await standIns.report(killed.place.name), await standIns.report(staying.place.name)];
  const [requests, faults] = [
    reports.map((one) => one.requests),
    reports.map(({ faults: own }) => Object.values(own).reduce((sum, count) => sum + count, 0)),
  ];
  return [
    `${String(Math.floor(elapsedS / 60)).padStart(2, '0')}:${String(elapsedS % 60).padStart(2, '0')}`,
    `${killed.kills()} kills`,
    `rss ${rss(killed)} killed, ${rss(staying)} staying`,
    `${requests.join(' + ')} requests, ${faults.join(' + ')} faults`,
    `${Object.values(user.acts()).reduce((sum, count) => sum + count, 0)} acts of the user`,
    `${processes.complaints.length + user.surprises.length} complaints`,
  ].join('  ');
}

const HEAL_MS_MAX = 300_000;
const HEAL_EVERY_MS = 5_000;
/** So long at least, so that what was answered short at the very end is due for its second look. */
const HEAL_MS_MIN = 60_000;

/** Nothing fails any more, and the user asks for what is pending. How long it took until nothing was; null when it did not come to that. */
async function calmPart(stage: Stage): Promise<number | null> {
  const { killed, staying, standIns, beganAtMs } = stage;
  killed.revive();
  staying.revive();
  const calmAtMs = realClock.nowMs();
  for (const { place } of [killed, staying]) await standIns.calm(place.name);
  say(
    `${Math.round((calmAtMs - beganAtMs) / 1_000)} s: the faults end; healing for at most ${HEAL_MS_MAX / 60_000} min`,
  );
  while (realClock.nowMs() < calmAtMs + HEAL_MS_MAX) {
    const isWhole = await Promise.all([killed, staying].map((daemon) => healOnce(stage, daemon)));
    if (isWhole.every((whole) => whole) && realClock.nowMs() >= calmAtMs + HEAL_MS_MIN)
      return realClock.nowMs() - calmAtMs;
    await realClock.sleep(HEAL_EVERY_MS);
  }
  return null;
}

const firstDayOf = ({ user }: Stage, place: Place): string => dayOf(realClock.nowMs() - user.daysBack(place) * DAY_MS);

/** One round of what a user does who wants everything to be there now. */
async function healOnce(stage: Stage, { place }: Daemon): Promise<boolean> {
  const { processes } = stage;
  const days = ['--start', firstDayOf(stage, place), '--end', dayOf(realClock.nowMs())];
  await processes.run(place, ['resume', '--json']);
  await processes.run(place, ['backfill', ...days, '--json']);
  await processes.run(place, ['heal', '--now', '--json']);
  const gaps = documentOf(await processes.run(place, ['check-gaps', ...days, '--json'])) as {
    ok?: boolean;
    totals?: { quarantined: number };
  } | null;
  const alerts = documentOf(await processes.run(place, ['alerts', 'list', '--json'])) as {
    items?: readonly { code: string }[];
  } | null;
  const outbox = documentOf(await processes.run(place, ['alerts', 'outbox', '--json'])) as {
    items?: readonly unknown[];
  } | null;
  return (
    gaps?.ok === true &&
    gaps.totals?.quarantined === 0 &&
    alerts?.items?.every(({ code }) => looksBack(code)) === true &&
    outbox?.items?.length === 0
  );
}

/** SIGTERM, and the judgement of what is on disk. */
async function endPart(stage: Stage): Promise<Finding[]> {
  const { processes, killed, staying, standIns, options, beganAtMs } = stage;
  const stoppedAtMs = realClock.nowMs();
  for (const daemon of [killed, staying]) processes.signal(daemon.current(), 'SIGTERM');
  const exits = await Promise.all([killed, staying].map(async (daemon) => (await daemon.current().ended).exit));
  const truth = truthOf(options.seed, rangeAround(beganAtMs));
  const findings: Finding[] = [
    {
      what: 'SIGTERM ends both daemons with exit 143',
      holds: exits.every((exit) => exit === 143),
      found: exits.join(', '),
    },
  ];
  for (const { place } of [killed, staying]) {
    const report = await standIns.report(place.name);
    const own = await assessPlace(processes, { place, report, truth, firstDay: firstDayOf(stage, place), stoppedAtMs });
    findings.push({
      what: `${place.name}: faults were sent`,
      holds: Object.keys(report.faults).length > 0,
      found: `${report.requests} requests; ${Object.entries(report.faults)
        .map(([code, count]) => `${code} ${count}`)
        .join(', ')}`,
    });
    findings.push(...own.map((finding) => ({ ...finding, what: `${place.name}: ${finding.what}` })));
  }
  return findings;
}

/** Lives are compared at this age, or at half the mean time between kills where that is shorter. */
const LIFE_AGE_MS = 12_000;

function memoryFindings({ killed, staying, options: { spanMs, killEveryMs } }: Stage): Finding[] {
  const ageMs = Math.min(LIFE_AGE_MS, killEveryMs / 2);
  const [first] = staying.lives;
  const text = (growth: Growth | null): string =>
    growth === null
      ? 'too short to say'
      : `${megabytes(growth.fromKb)} -> ${megabytes(growth.toKb)}, ${growth.ratio < 0 ? '' : '+'}${(growth.ratio * 100).toFixed(1)} % (of ${growth.figures} figures)`;
  const holds = (growth: Growth | null): boolean => growth !== null && growth.ratio < GROWTH_RATIO_MAX;
  const stayed = growthOfStaying(first?.samples ?? [], spanMs);
  const lived = growthOverLifetimes(killed.lives, { ageMs, spanMs });
  const warmUp = `after ${Math.round((spanMs * WARM_UP_RATIO) / 1_000)} s of warm-up`;
  return [
    {
      what: 'staying: one process throughout',
      holds: staying.lives.length === 1,
      found: `${staying.lives.length} lives`,
    },
    {
      what: `staying: rss grows by less than 10 % (median of the first quarter ${warmUp} against that of the last)`,
      holds: holds(stayed),
      found: `${text(stayed)}; ${courseOf(first?.samples ?? [])}`,
    },
    {
      what: `killed: rss of a life at the age of ${ageMs / 1_000} s grows by less than 10 % (mean of the lives in the first half ${warmUp} against the second)`,
      holds: holds(lived),
      found: text(lived),
    },
  ];
}

/** Lowest and highest of each minute: a heap is a saw, and its lowest points say what is held. */
function courseOf(samples: readonly MemorySample[]): string {
  const minutes = [...Map.groupBy(samples, ({ ageMs }) => Math.floor(ageMs / 60_000)).values()].map((own) =>
    own.map(({ rssKb }) => rssKb),
  );
  return `by minute, MB: ${minutes.map((own) => `${Math.round(Math.min(...own) / 1_024)}-${Math.round(Math.max(...own) / 1_024)}`).join(', ')}`;
}

const COMPLAINTS_SHOWN_MAX = 20;

function processFindings({ processes, user, killed }: Stage, healedAfterMs: number | null): Finding[] {
  const said = [...processes.complaints.map(({ where, text }) => `${where}: ${text}`), ...user.surprises];
  return [
    {
      what: 'everything healed once the faults had ended',
      holds: healedAfterMs !== null,
      found:
        healedAfterMs === null
          ? `not within ${HEAL_MS_MAX / 60_000} min`
          : `after ${Math.round(healedAfterMs / 1_000)} s`,
    },
    { what: 'killed with -9', holds: killed.kills() > 0, found: `${killed.kills()} times` },
    {
      what: 'no process said or did what it must not',
      holds: said.length === 0,
      found: [
        `${processes.started()} processes; the user's: ${Object.entries(user.acts())
          .map(([act, count]) => `${count} ${act}`)
          .join(', ')}`,
        ...said.slice(0, COMPLAINTS_SHOWN_MAX),
      ].join('\n    '),
    },
  ];
}

function verdictOf(findings: readonly Finding[], { seed }: SoakOptions): number {
  const ok = findings.every(({ holds }) => holds);
  say('');
  for (const { holds, what, found } of findings) say(`${holds ? 'ok' : 'NO'}  ${what}\n      ${found}`);
  say(ok ? '\nevery candle, accounted for' : `\nit does not hold; again with: npm run soak -- --seed ${seed} --keep`);
  return ok ? 0 : 1;
}

if (process.argv.includes('--help')) say(USAGE);
else process.exitCode = await main();
