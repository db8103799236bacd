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
import { documentOf, type Place, type Processes } from './processes.ts';
import { sha256Of, type EnvironmentReport } from './environment.ts';
import { readNotifications } from './notifications.ts';

/** One thing that has to hold, and what was found. */
export interface Finding {
  readonly what: string;
  readonly holds: boolean;
  readonly found: string;
}

export interface AssessedPlace {
  readonly place: Place;
  readonly report: EnvironmentReport;
  readonly truth: readonly TrueSeries[];
  /** Days that were asked for: from this one to today. */
  readonly firstDay: Day;
  /** When the daemon was asked to end. */
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

/** Everything that has to hold of one data directory once the faults have ended and everything had time to heal. */
export async function assessPlace(processes: Processes, judged: AssessedPlace): Promise<Finding[]> {
  const { place, report } = judged;
  const command = async <T>(args: readonly string[]): Promise<T> =>
    documentOf(await processes.run(place, [...args, '--json'])) as T;
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
  return [
    await accountFinding(processes, judged),
    ...(await truthFindings(judged)),
    goldFinding(judged),
    {
      what: 'no defect among faults and alerts',
      holds: defects === 0,
      found: `${runs.length} runs, ${faults.reduce((sum, { count }) => sum + count, 0)} faults logged, ${defects} defects`,
    },
    {
      what: 'no run left open',
      holds: runs.every(({ outcome }) => outcome !== null),
      found: countsText(runs.map(({ outcome }) => outcome ?? 'open')),
    },
    ...alertFindings(report, { alerts, outbox, flapping: flappingAmong(history) }),
    leftoverFinding(place),
  ];
}

interface GapDocument {
  readonly ok: boolean;
  readonly totals: Readonly<Record<string, number>>;
  readonly discrepancies: readonly { readonly where: string; readonly message: string }[];
}

async function accountFinding(processes: Processes, { place, firstDay }: AssessedPlace): Promise<Finding> {
  const ended = await processes.run(place, [
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
    what: 'account complete (check-gaps --verify)',
    holds: ended.exit === 0 && ok && isSum && isComplete && discrepancies.length === 0,
    found: `${totals['expected']} expected = ${parts.map(([state, candles]) => `${candles} ${state}`).join(' + ')}${discrepancies.map(({ where, message }) => `; ${where}: ${message}`).join('')}`,
  };
}

type Tally = Record<'recorded' | 'lost' | 'doubled' | 'invented' | 'wrong', number>;

/** A candle that closed so shortly before the end may still be on its way. Unit: milliseconds. */
const FRESH_MS = 180_000;

/**
 * Stored rows against the stand-ins' own. Of closed days nothing may be missing. Today is provisional: a row that broke a rule, and a
 * hole at a venue that leaves out empty candles, are asked for again when the day is due; what is missing is told, nothing else may be wrong.
 */
async function truthFindings({ place, truth, firstDay, stoppedAtMs }: AssessedPlace): Promise<Finding[]> {
  const reader = openReader(place.dataDir);
  const todayMs = dayStartMs(dayOf(stoppedAtMs));
  const [closed, today] = [noTally(), noTally()];
  let lateToday = 0;
  const bad: string[] = [];
  for (const { exchange, interval, told } of truth) {
    const stored = await reader.candles({
      exchange,
      symbol: told.symbol,
      interval,
      from: firstDay,
      to: dayOf(stoppedAtMs),
    });
    const known = told.rows.filter(
      (row) => row[0] >= dayStartMs(firstDay) && row[0] + intervalMs(interval) <= stoppedAtMs,
    );
    const before = compareWithTruth(
      stored.filter((row) => row.openTimeMs < todayMs),
      known.filter((row) => row[0] < todayMs),
      told.columns,
    );
    const since = compareWithTruth(
      stored.filter((row) => row.openTimeMs >= todayMs),
      known.filter((row) => row[0] >= todayMs),
      told.columns,
    );
    add(closed, before);
    add(today, since);
    const isEach = STAND_INS.get(exchange)?.emptyCandles === 'flat';
    const late = compareWithTruth(
      stored,
      known.filter((row) => row[0] + intervalMs(interval) <= stoppedAtMs - FRESH_MS),
      told.columns,
    ).lost;
    if (isEach) lateToday += late - before.lost;
    if (before.lost + badOf(before) + badOf(since) > 0)
      bad.push(
        `${exchange} ${told.symbol} ${interval} closed ${JSON.stringify(before)} today ${JSON.stringify(since)}`,
      );
  }
  reader.close();
  return [
    {
      what: "closed days are the stand-ins' own, candle by candle",
      holds: closed.recorded > 0 && closed.lost + badOf(closed) === 0,
      found: [`${closed.recorded} rows: ${tallyText(closed)}`, ...bad].join('; '),
    },
    {
      what: "what is stored of today is the stand-ins' own",
      holds: badOf(today) === 0,
      found: `${today.recorded} rows: ${tallyText(today)}; ${lateToday} missing for longer than ${FRESH_MS / 60_000} min where each candle is sent`,
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

/** Every data file of gold is on the Hub's head, byte for byte, and the head has no other. */
function goldFinding({ place, report: { hub } }: AssessedPlace): Finding {
  const gold = join(place.dataDir, 'gold');
  const isData = (path: string): boolean => path.startsWith('data/');
  const own = new Map(filesBelow(gold).map((path) => [relative(gold, path), sha256Of(readFileSync(path))]));
  const differing = [...new Set([...own.keys(), ...Object.keys(hub.files)])].filter(
    (path) => isData(path) && own.get(path) !== hub.files[path],
  );
  const data = Object.keys(hub.files).filter(isData).length;
  return {
    what: 'gold is on the Hub, byte for byte',
    holds: data > 0 && differing.length === 0,
    found: `${data} files, ${hub.commits} commits${differing.map((path) => `; ${path} differs`).join('')}`,
  };
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

const HOUR_MS = 3_600_000;

/** Causes that began more than once within the last hour: their end is told once they were quiet for one. */
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

/** A rule ends by itself once what it counts is older than its window, an hour at least. */
export const looksBack = (code: string): boolean => isRuleCode(code);

function alertFindings(
  { webhook, pagerduty, slack, mails }: EnvironmentReport,
  {
    alerts,
    outbox,
    flapping,
  }: { readonly alerts: readonly Alert[]; readonly outbox: readonly unknown[]; readonly flapping: ReadonlySet<string> },
): Finding[] {
  const firing = alerts
    .filter((alert) => alert.resolved_at === null && !looksBack(alert.code))
    .map(({ fingerprint }) => fingerprint);
  const watching = alerts
    .filter((alert) => alert.resolved_at === null && looksBack(alert.code))
    .map(({ fingerprint }) => fingerprint);
  const told = readNotifications(webhook);
  // A key is the instance and the cause's fingerprint.
  const isHeldBack = (key: string): boolean =>
    [...flapping, ...watching].some((fingerprint) => key.endsWith(fingerprint));
  const open = [...told.open.map((key) => `webhook ${key}`), ...pagerduty.open.map((key) => `pagerduty ${key}`)];
  const forgotten = open.filter((key) => !isHeldBack(key));
  return [
    {
      what: 'every alert is over, and nothing waits to be sent',
      holds: firing.length === 0 && outbox.length === 0,
      found: [
        `${alerts.length} causes, ${outbox.length} waiting, ${watching.length} rules that look back an hour or a day`,
        ...firing,
      ].join('; '),
    },
    {
      what: 'once per cause and level at a channel with keys',
      holds: told.doubled.length === 0,
      found: [
        `${told.triggers} beginnings, ${told.ends} ends, ${told.repeats} sent again under the same id`,
        ...told.doubled,
      ].join('; '),
    },
    {
      what: 'told of the end where told of the beginning',
      holds: forgotten.length === 0,
      found: [
        `${pagerduty.events} at PagerDuty, ${slack} at Slack, ${mails} mails; ${open.length - forgotten.length} ends held back for a quiet hour or by a rule that looks back`,
        ...forgotten,
      ].join('; '),
    },
  ];
}

function leftoverFinding({ dataDir }: Place): Finding {
  const left = filesBelow(dataDir)
    .filter((path) => path.includes('.tmp-'))
    .map((path) => relative(dataDir, path));
  return {
    what: 'no file left half written',
    holds: left.length === 0,
    found: left.length === 0 ? 'no .tmp-*' : left.join('; '),
  };
}

const countsText = (words: readonly string[]): string =>
  [...Map.groupBy(words, (word) => word)]
    .map(([word, own]) => `${own.length} ${word}`)
    .toSorted()
    .join(', ');
