import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { seededRandom } from '../../src/platform/seeded-random.ts';
import { DAY_MS } from '../../src/domain/interval.ts';
import { dayOf } from '../../src/domain/partition.ts';
import { daemonOn, killRepeatedly, type Daemon } from './daemons.ts';
import { rangeAround, truthOf } from './market-world.ts';
import { growthOfProcess, growthOverLifetimes, WARM_UP_RATIO, type Growth, type MemorySample } from './memory.ts';
import { readOptions, USAGE, type SoakOptions } from './options.ts';
import { documentOf, ownProcesses, type Processes, type Site } from './processes.ts';
import { startStandIns, type StandInsProcess } from './stand-ins-process.ts';
import { userOf, type User } from './user.ts';
import { assessSite, isRuleAlert, type Finding } from './assessment.ts';

const SAMPLE_EVERY_MS = 1_000;
const PROGRESS_EVERY_MS = 30_000;
/** Resident memory has to grow by less than this after warm-up. */
const GROWTH_RATIO_MAX = 0.1;

const say = (line: string): void => console.log(line);
const percent = (ratio: number): string => `${ratio < 0 ? '' : '+'}${(ratio * 100).toFixed(1)} %`;
const seconds = (ms: number): number => Math.round(ms / 1_000);
const megabytes = (kb: number): string => `${Math.round(kb / 1_024)} MB`;

interface Soak {
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
    [
      `soak of ${options.spanMs / 60_000} min`,
      `seed ${options.seed}`,
      `a kill -9 every ${options.killEveryMs / 1_000} s on average`,
      `data in ${root}`,
    ].join(', '),
  );
  const siteOf = async (name: string): Promise<Site> => ({
    name,
    dataDir: join(root, name),
    logDir: join(root, `${name}-logs`),
    env: await standIns.open(name, {
      seed: options.seed,
      span: { fromMs: beganAtMs, spanMs: options.spanMs },
      range,
    }),
  });
  const [killedSite, stayingSite] = [await siteOf('killed'), await siteOf('staying')];
  const user = userOf(processes, [killedSite, stayingSite], seededRandom(`${options.seed}/user`));
  const soak: Soak = {
    options,
    standIns,
    processes,
    user,
    beganAtMs,
    killed: daemonOn(processes, killedSite, beganAtMs),
    staying: daemonOn(processes, stayingSite, beganAtMs),
  };
  try {
    await runUnderFaults(soak);
    const healedAfterMs = await healAll(soak);
    const findings = [...(await stopAndAssess(soak)), ...memoryFindings(soak), ...processFindings(soak, healedAfterMs)];
    return verdictOf(findings, options);
  } finally {
    for (const daemon of [soak.killed, soak.staying]) await daemon.kill();
    await standIns.close();
    if (options.keep) say(`kept: ${root}`);
    else rmSync(root, { recursive: true, force: true });
  }
}

/** Ends every process of the soak when the soak itself ends. */
function endWith(processes: Processes): void {
  process.on('exit', () => processes.killAll());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
}

/** Faults, kills and a user, while memory is sampled. */
async function runUnderFaults(soak: Soak): Promise<void> {
  const { options, user, killed, staying } = soak;
  const over = new AbortController();
  const random = seededRandom(`${options.seed}/kills`);
  const work = Promise.all([
    killRepeatedly(killed, {
      random,
      killEveryMs: options.killEveryMs,
      alsoKill: () => user.killCommand(killed.site),
      signal: over.signal,
    }),
    user.act(over.signal),
    every(SAMPLE_EVERY_MS, over.signal, () => [killed, staying].forEach((daemon) => daemon.sample())),
    every(PROGRESS_EVERY_MS, over.signal, async () => say(await progressLine(soak))),
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

async function progressLine({ beganAtMs, killed, staying, standIns, processes, user }: Soak): Promise<string> {
  const elapsedS = Math.round((realClock.nowMs() - beganAtMs) / 1_000);
  const rss = (daemon: Daemon): string => megabytes(daemon.lifetimes.at(-1)?.samples.at(-1)?.rssKb ?? 0);
  const reports = [await standIns.report(killed.site.name), await standIns.report(staying.site.name)];
  const [requests, faults] = [
    reports.map((one) => one.requests),
    reports.map(({ faults: own }) => Object.values(own).reduce((sum, count) => sum + count, 0)),
  ];
  return [
    `${String(Math.floor(elapsedS / 60)).padStart(2, '0')}:${String(elapsedS % 60).padStart(2, '0')}`,
    `${killed.kills()} kills`,
    `rss ${rss(killed)} killed, ${rss(staying)} staying`,
    `${requests.join(' + ')} requests, ${faults.join(' + ')} faults`,
    `${Object.values(user.commands()).reduce((sum, count) => sum + count, 0)} commands of the user`,
    `${processes.violations.length + user.violations.length} violations`,
  ].join('  ');
}

const HEAL_MS_MAX = 300_000;
const HEAL_EVERY_MS = 5_000;
/** At least this long, so that pages that were short at the end of the faults become due for their second request. */
const HEAL_MS_MIN = 60_000;

/** Ends the faults and heals until nothing is pending. Returns how long that took; null if it took too long. */
async function healAll(soak: Soak): Promise<number | null> {
  const { killed, staying, standIns, beganAtMs } = soak;
  killed.restart();
  staying.restart();
  const faultsEndedAtMs = realClock.nowMs();
  for (const { site } of [killed, staying]) await standIns.endFaults(site.name);
  say(`${seconds(faultsEndedAtMs - beganAtMs)} s: the faults end; healing for at most ${HEAL_MS_MAX / 60_000} min`);
  while (realClock.nowMs() < faultsEndedAtMs + HEAL_MS_MAX) {
    const isWhole = await Promise.all([killed, staying].map((daemon) => healOnce(soak, daemon)));
    if (isWhole.every((whole) => whole) && realClock.nowMs() >= faultsEndedAtMs + HEAL_MS_MIN)
      return realClock.nowMs() - faultsEndedAtMs;
    await realClock.sleep(HEAL_EVERY_MS);
  }
  return null;
}

const firstDayOf = ({ user }: Soak, site: Site): string => dayOf(realClock.nowMs() - user.daysBack(site) * DAY_MS);

/** One round of the commands that a user runs to have everything now. */
async function healOnce(soak: Soak, { site }: Daemon): Promise<boolean> {
  const { processes } = soak;
  const days = ['--start', firstDayOf(soak, site), '--end', dayOf(realClock.nowMs())];
  await processes.run(site, ['resume', '--json']);
  await processes.run(site, ['backfill', ...days, '--json']);
  await processes.run(site, ['heal', '--now', '--json']);
  const gaps = documentOf(await processes.run(site, ['check-gaps', ...days, '--json'])) as {
    ok?: boolean;
    totals?: { quarantined: number };
  } | null;
  const alerts = documentOf(await processes.run(site, ['alerts', 'list', '--json'])) as {
    items?: readonly { code: string }[];
  } | null;
  const outbox = documentOf(await processes.run(site, ['alerts', 'outbox', '--json'])) as {
    items?: readonly unknown[];
  } | null;
  return (
    gaps?.ok === true &&
    gaps.totals?.quarantined === 0 &&
    alerts?.items?.every(({ code }) => isRuleAlert(code)) === true &&
    outbox?.items?.length === 0
  );
}

/** Stops both daemons with SIGTERM and assesses their data directories. */
async function stopAndAssess(soak: Soak): Promise<Finding[]> {
  const { processes, killed, staying, standIns, options, beganAtMs } = soak;
  const stoppedAtMs = realClock.nowMs();
  for (const daemon of [killed, staying]) processes.signal(daemon.current(), 'SIGTERM');
  const exits = await Promise.all([killed, staying].map(async (daemon) => (await daemon.current().ended).exit));
  const truth = truthOf(options.seed, rangeAround(beganAtMs));
  const findings: Finding[] = [
    {
      condition: 'SIGTERM ends both daemons with exit 143',
      holds: exits.every((exit) => exit === 143),
      found: exits.join(', '),
    },
  ];
  for (const { site } of [killed, staying]) {
    const report = await standIns.report(site.name);
    const own = await assessSite(processes, { site, report, truth, firstDay: firstDayOf(soak, site), stoppedAtMs });
    findings.push({
      condition: `${site.name}: faults were sent`,
      holds: Object.keys(report.faults).length > 0,
      found: `${report.requests} requests; ${Object.entries(report.faults)
        .map(([code, count]) => `${code} ${count}`)
        .join(', ')}`,
    });
    findings.push(...own.map((finding) => ({ ...finding, condition: `${site.name}: ${finding.condition}` })));
  }
  return findings;
}

/** Lifetimes are compared at this age, or at half the mean time between kills if that is shorter. */
const LIFETIME_AGE_MS = 12_000;

function memoryFindings({ killed, staying, options: { spanMs, killEveryMs } }: Soak): Finding[] {
  const ageMs = Math.min(LIFETIME_AGE_MS, killEveryMs / 2);
  const [first] = staying.lifetimes;
  const text = (growth: Growth | null): string =>
    growth === null
      ? 'too few figures'
      : [
          `${megabytes(growth.fromKb)} -> ${megabytes(growth.toKb)}`,
          `${percent(growth.ratio)} (${growth.figures} figures)`,
        ].join(', ');
  const holds = (growth: Growth | null): boolean => growth !== null && growth.ratio < GROWTH_RATIO_MAX;
  const ofProcess = growthOfProcess(first?.samples ?? [], spanMs);
  const ofLifetimes = growthOverLifetimes(killed.lifetimes, { ageMs, spanMs });
  const warmUp = `after ${Math.round((spanMs * WARM_UP_RATIO) / 1_000)} s of warm-up`;
  return [
    {
      condition: 'staying: one process throughout',
      holds: staying.lifetimes.length === 1,
      found: `${staying.lifetimes.length} lifetimes`,
    },
    {
      condition: `staying: rss grows by less than 10 % (median of the first quarter ${warmUp} to that of the last)`,
      holds: holds(ofProcess),
      found: `${text(ofProcess)}; ${rangeByMinute(first?.samples ?? [])}`,
    },
    {
      condition: [
        `killed: rss of a lifetime at the age of ${ageMs / 1_000} s grows by less than 10 %`,
        `(mean of the first half ${warmUp} to that of the second)`,
      ].join(' '),
      holds: holds(ofLifetimes),
      found: text(ofLifetimes),
    },
  ];
}

/** Lowest and highest figure of each minute: the low points of a heap's sawtooth show the retained memory. */
function rangeByMinute(samples: readonly MemorySample[]): string {
  const minutes = [...Map.groupBy(samples, ({ ageMs }) => Math.floor(ageMs / 60_000)).values()].map((own) =>
    own.map(({ rssKb }) => rssKb),
  );
  const wholeMb = (kb: number): number => Math.round(kb / 1_024);
  const ranges = minutes.map((own) => `${wholeMb(Math.min(...own))}-${wholeMb(Math.max(...own))}`);
  return `by minute, MB: ${ranges.join(', ')}`;
}

const VIOLATIONS_SHOWN_MAX = 20;

function processFindings({ processes, user, killed }: Soak, healedAfterMs: number | null): Finding[] {
  const violations = [...processes.violations.map(({ where, text }) => `${where}: ${text}`), ...user.violations];
  return [
    {
      condition: 'everything healed after the faults had ended',
      holds: healedAfterMs !== null,
      found:
        healedAfterMs === null
          ? `not within ${HEAL_MS_MAX / 60_000} min`
          : `after ${Math.round(healedAfterMs / 1_000)} s`,
    },
    { condition: 'killed with -9', holds: killed.kills() > 0, found: `${killed.kills()} times` },
    {
      condition: 'no process printed a defect or ended with a forbidden exit code',
      holds: violations.length === 0,
      found: [
        `${processes.started()} processes; the user's: ${Object.entries(user.commands())
          .map(([command, count]) => `${count} ${command}`)
          .join(', ')}`,
        ...violations.slice(0, VIOLATIONS_SHOWN_MAX),
      ].join('\n    '),
    },
  ];
}

function verdictOf(findings: readonly Finding[], { seed }: SoakOptions): number {
  const ok = findings.every(({ holds }) => holds);
  say('');
  for (const { holds, condition, found } of findings) say(`${holds ? 'ok' : 'NO'}  ${condition}\n      ${found}`);
  say(
    ok ? '\nevery condition holds' : `\nnot every condition holds; repeat with: npm run soak -- --seed ${seed} --keep`,
  );
  return ok ? 0 : 1;
}

if (process.argv.includes('--help')) say(USAGE);
else process.exitCode = await main();
