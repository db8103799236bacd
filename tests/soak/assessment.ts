import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { realClock } from '../../src/platform/node/system-clock.ts';
import { intervalMs } from '../../src/domain/interval.ts';
import { dayOf, dayStartMs, type Day } from '../../src/domain/partition.ts';
import { compareWithTruth, type Comparison } from '../../src/simulation/truth.ts';
import { isRuleCode } from '../../src/metrics/rules.ts';
import { STAND_INS } from '../../src/simulation/stand-ins/stand-ins.ts';
import { openReader } from '../../src/api/reader.ts';
import type { TrueSeries } from './market-world.ts';
import { documentOf, type Processes, type Site } from './processes.ts';
import { sha256Of, type EnvironmentReport } from './environment.ts';
import { readNotifications } from './notifications.ts';

/** One condition, whether it holds, and the figures found. */
export interface Finding {
  readonly condition: string;
  readonly holds: boolean;
  readonly found: string;
}

export interface AssessedSite {
  readonly site: Site;
  readonly report: EnvironmentReport;
  readonly truth: readonly TrueSeries[];
  /** First day that a daemon or the user fetched; the last is today. */
  readonly firstDay: Day;
  /** When SIGTERM was sent to the daemon. */
  readonly stoppedAtMs: number;
}

interface Alert {
  readonly fingerprint: string;
  readonly code: string;
  readonly resolved_at: string | null;
}
interface RunItem {
  readonly id: string;
  readonly outcome: string | null;
  readonly trigger: string;
}

/** Assesses one data directory, after the faults have ended and everything had time to heal. */
export async function assessSite(processes: Processes, assessed: AssessedSite): Promise<Finding[]> {
  const { site, report } = assessed;
  const command = async <T>(args: readonly string[]): Promise<T> =>
    documentOf(await processes.run(site, [...args, '--json'])) as T;
  const alerts = (await command<{ items: readonly Alert[] }>(['alerts', 'list', '--all'])).items;
  const outbox = (await command<{ items: readonly unknown[] }>(['alerts', 'outbox'])).items;
  const history = (
    await command<{ items: readonly { action: string; fingerprint: string | null; at: string }[] }>([
      'alerts',
      'list',
      '--history',
    ])
  ).items;
  const runs = (await command<{ items: readonly RunItem[] }>(['runs', 'list', '--limit', '100000'])).items;
  const faults = (await command<{ faults_24h: readonly { code: string; count: number }[] }>(['status'])).faults_24h;
  const defects = [...faults, ...alerts].filter(({ code }) => code === 'DEFECT').length;
  const faultsLogged = faults.reduce((sum, { count }) => sum + count, 0);
  return [
    await accountFinding(processes, assessed),
    ...(await truthFindings(assessed)),
    goldFinding(assessed),
    {
      condition: 'no defect among faults and alerts',
      holds: defects === 0,
      found: `${runs.length} runs, ${faultsLogged} faults logged, ${defects} defects`,
    },
    {
      condition: 'no run left open',
      holds: runs.every(({ outcome }) => outcome !== null),
      found: countsText(runs.map(({ outcome }) => outcome ?? 'open')),
    },
    ...alertFindings(report, { alerts, outbox, flapping: flappingAmong(history) }),
    leftoverFinding(site),
  ];
}

interface GapDocument {
  readonly ok: boolean;
  readonly totals: Readonly<Record<string, number>>;
  readonly discrepancies: readonly { readonly where: string; readonly message: string }[];
}

async function accountFinding(processes: Processes, { site, firstDay }: AssessedSite): Promise<Finding> {
  const ended = await processes.run(site, [
    'check-gaps',
    '--start',
    firstDay,
    '--end',
    dayOf(realClock.nowMs()),
    '--verify',
    '--json',
  ]);
  const { totals, discrepancies, ok } = documentOf(ended) as unknown as GapDocument;
  const parts = Object.entries(totals).filter(([state]) => state !== 'expected');
  const isSum = totals['expected'] === parts.reduce((sum, [, candles]) => sum + candles, 0);
  const isComplete = totals['pending'] === 0 && totals['quarantined'] === 0;
  return {
    condition: 'account complete (check-gaps --verify)',
    holds: ended.exit === 0 && ok && isSum && isComplete && discrepancies.length === 0,
    found: [
      `${totals['expected']} expected = ${parts.map(([state, candles]) => `${candles} ${state}`).join(' + ')}`,
      ...discrepancies.map(({ where, message }) => `${where}: ${message}`),
    ].join('; '),
  };
}

type Tally = Record<'recorded' | 'lost' | 'doubled' | 'invented' | 'wrong', number>;

/** A candle that closed this shortly before the end may not be stored yet. Unit: milliseconds. */
const FRESH_MS = 180_000;

/**
 * Compares stored rows with the stand-ins' own. Of closed days nothing may be missing. Today is provisional: rows that
 * broke a rule, and gaps at an exchange that leaves out empty candles, are requested again once the day is due. Missing
 * rows of today are therefore only counted; wrong ones are not allowed.
 */
async function truthFindings({ site, truth, firstDay, stoppedAtMs }: AssessedSite): Promise<Finding[]> {
  const reader = openReader(site.dataDir);
  const todayMs = dayStartMs(dayOf(stoppedAtMs));
  const [closed, today] = [noTally(), noTally()];
  let missingToday = 0;
  const bad: string[] = [];
  for (const { exchange, interval, served } of truth) {
    const stored = await reader.candles({
      exchange,
      symbol: served.symbol,
      interval,
      from: firstDay,
      to: dayOf(stoppedAtMs),
    });
    const known = served.rows.filter(
      (row) => row[0] >= dayStartMs(firstDay) && row[0] + intervalMs(interval) <= stoppedAtMs,
    );
    const before = compareWithTruth(
      stored.filter((row) => row.openTimeMs < todayMs),
      known.filter((row) => row[0] < todayMs),
      served.columns,
    );
    const since = compareWithTruth(
      stored.filter((row) => row.openTimeMs >= todayMs),
      known.filter((row) => row[0] >= todayMs),
      served.columns,
    );
    add(closed, before);
    add(today, since);
    const sendsEachCandle = STAND_INS.get(exchange)?.emptyCandles === 'flat';
    const longMissing = compareWithTruth(
      stored,
      known.filter((row) => row[0] + intervalMs(interval) <= stoppedAtMs - FRESH_MS),
      served.columns,
    ).lost;
    if (sendsEachCandle) missingToday += longMissing - before.lost;
    if (before.lost + badOf(before) + badOf(since) > 0)
      bad.push(
        `${exchange} ${served.symbol} ${interval} closed ${JSON.stringify(before)} today ${JSON.stringify(since)}`,
      );
  }
  reader.close();
  return [
    {
      condition: "closed days equal the stand-ins' own, candle by candle",
      holds: closed.recorded > 0 && closed.lost + badOf(closed) === 0,
      found: [`${closed.recorded} rows: ${tallyText(closed)}`, ...bad].join('; '),
    },
    {
      condition: "stored rows of today equal the stand-ins' own",
      holds: badOf(today) === 0,
      found: [
        `${today.recorded} rows: ${tallyText(today)}`,
        `${missingToday} missing for longer than ${FRESH_MS / 60_000} min where the exchange sends every candle`,
      ].join('; '),
    },
  ];
}

const noTally = (): Tally => ({ recorded: 0, lost: 0, doubled: 0, invented: 0, wrong: 0 });
function add(tally: Tally, one: Comparison): void {
  for (const key of ['recorded', 'lost', 'doubled', 'invented', 'wrong'] as const) tally[key] += one[key];
}
const badOf = ({ doubled, invented, wrong }: Comparison): number => doubled + invented + wrong;
const tallyText = ({ lost, doubled, invented, wrong }: Tally): string =>
  `${lost} missing, ${doubled} doubled, ${invented} invented, ${wrong} wrong`;

/** The newest commit of the Hub holds every data file of gold, byte for byte, and no other. */
function goldFinding({ site, report: { hub } }: AssessedSite): Finding {
  const gold = join(site.dataDir, 'gold');
  const isData = (path: string): boolean => path.startsWith('data/');
  const own = new Map(filesBelow(gold).map((path) => [relative(gold, path), sha256Of(readFileSync(path))]));
  const differing = [...new Set([...own.keys(), ...Object.keys(hub.files)])].filter(
    (path) => isData(path) && own.get(path) !== hub.files[path],
  );
  const data = Object.keys(hub.files).filter(isData).length;
  return {
    condition: 'gold is on the Hub, byte for byte',
    holds: data > 0 && differing.length === 0,
    found: `${data} files, ${hub.commits} commits${differing.map((path) => `; ${path} differs`).join('')}`,
  };
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const HOUR_MS = 3_600_000;

/** Causes that fired more than once within the last hour: their end is notified after a quiet hour. */
function flappingAmong(
  history: readonly { readonly action: string; readonly fingerprint: string | null; readonly at: string }[],
): ReadonlySet<string> {
  const fired = history.filter(({ action, at }) => action === 'fired' && Date.parse(at) > realClock.nowMs() - HOUR_MS);
  return new Set(
    [...Map.groupBy(fired, ({ fingerprint }) => fingerprint ?? '')].flatMap(([fingerprint, own]) =>
      own.length > 1 ? [fingerprint] : [],
    ),
  );
}

/** A rule's alert ends once the events it counts are older than its window, which is an hour at least. */
export const isRuleAlert = (code: string): boolean => isRuleCode(code);

function alertFindings(
  { webhook, pagerduty, slack, mails }: EnvironmentReport,
  {
    alerts,
    outbox,
    flapping,
  }: { readonly alerts: readonly Alert[]; readonly outbox: readonly unknown[]; readonly flapping: ReadonlySet<string> },
): Finding[] {
  const firing = alerts
    .filter((alert) => alert.resolved_at === null && !isRuleAlert(alert.code))
    .map(({ fingerprint }) => fingerprint);
  const ofRules = alerts
    .filter((alert) => alert.resolved_at === null && isRuleAlert(alert.code))
    .map(({ fingerprint }) => fingerprint);
  const notified = readNotifications(webhook);
  // A key consists of the instance and the cause's fingerprint.
  const isHeldBack = (key: string): boolean =>
    [...flapping, ...ofRules].some((fingerprint) => key.endsWith(fingerprint));
  const open = [...notified.open.map((key) => `webhook ${key}`), ...pagerduty.open.map((key) => `pagerduty ${key}`)];
  const unresolved = open.filter((key) => !isHeldBack(key));
  return [
    {
      condition: 'every alert has ended, and the outbox is empty',
      holds: firing.length === 0 && outbox.length === 0,
      found: [
        `${alerts.length} causes`,
        `${outbox.length} in the outbox`,
        `${ofRules.length} rules whose window of an hour or a day is not over`,
        ...firing,
      ].join('; '),
    },
    {
      condition: 'one notification per cause and level at a channel with keys',
      holds: notified.duplicates.length === 0,
      found: [
        `${notified.triggers} triggers, ${notified.resolves} resolves`,
        `${notified.repeats} sent again under the same id`,
        ...notified.duplicates,
      ].join('; '),
    },
    {
      condition: 'every notified cause is resolved at its channel',
      holds: unresolved.length === 0,
      found: [
        `${pagerduty.events} at PagerDuty, ${slack} at Slack, ${mails} mails`,
        `${open.length - unresolved.length} resolves held back for a quiet hour or by a rule's window`,
        ...unresolved,
      ].join('; '),
    },
  ];
}

function leftoverFinding({ dataDir }: Site): Finding {
  const left = filesBelow(dataDir)
    .filter((path) => path.includes('.tmp-'))
    .map((path) => relative(dataDir, path));
  return {
    condition: 'no temporary file is left',
    holds: left.length === 0,
    found: left.length === 0 ? 'no .tmp-*' : left.join('; '),
  };
}

const countsText = (words: readonly string[]): string =>
  [...Map.groupBy(words, (word) => word)]
    .map(([word, own]) => `${own.length} ${word}`)
    .toSorted()
    .join(', ');
