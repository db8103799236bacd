import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realFiles } from '../../src/platform/node/disk-files.ts';
import { realClock } from '../../src/platform/node/system-clock.ts';
import type { FaultSpec } from '../../src/simulation/fault-plan.ts';
import { serveOnLoopback, type LoopbackServer } from '../../src/simulation/loopback.ts';
import { standInSlack } from '../support/stand-in-slack.ts';
import { DEMO, openDemoEnvironment, type DemoEnvironment } from '../../src/cli/demo/scenario.ts';
import { blocksOf } from '../architecture/documents.ts';
import { installed } from './debian.ts';
import { freePort } from './free-port.ts';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'src/cli/main.ts');
const RUNBOOK = 'docs/runbook';
const PAGES = [
  'docs/operations.md',
  'docs/metrics.md',
  ...readdirSync(join(ROOT, RUNBOOK)).map((page) => `${RUNBOOK}/${page}`),
];
const COMMAND_MS_MAX = 60_000;
/** `candlekeep start` stays; it is asked to end after so long. */
const STAY_S = 4;

let stage: DemoEnvironment;
let slack: LoopbackServer;
let home: string;
let listenPort: number;

/** What stands where a server has its programs: our own from source, and those that would change this machine. */
function programs(): Readonly<Record<string, string>> {
  const own = `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`;
  return {
    candlekeep: own,
    npx: '#!/bin/sh\n[ "$1" = candlekeep ] || exit 127\nshift\nexec candlekeep "$@"\n',
    npm: npm(),
    journalctl: '#!/bin/sh\necho "Out of memory: Killed process 4242 (node)"\n',
    ss: '#!/bin/sh\necho "State Recv-Q Send-Q"\n',
    systemctl: systemctl(),
  };
}

/** Installs nothing and starts no soak of an hour, but refuses what it would not know. */
function npm(): string {
  const options = join(ROOT, 'tests/soak/options.ts');
  return `#!/bin/sh
case "$1 $2" in
  "install candlekeep@latest" | "install @opentelemetry/api") ;;
  "run soak")
    shift 2
    [ "$1" != "--" ] || shift
    exec "${process.execPath}" --input-type=module -e 'const { readOptions } = await import("${options}"); readOptions(process.argv.slice(1));' -- "$@";;
  *) exit 1;;
esac
`;
}

/** A service manager that knows the unit of the operating guide: what its ExecStart says is started, and told to end with SIGTERM. */
function systemctl(): string {
  const [, command] =
    /^ExecStart=\/usr\/bin\/(.+)$/m.exec(readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')) ?? [];
  if (command === undefined) throw new Error('the unit of docs/operations.md starts nothing');
  return `#!/bin/sh
case "$1 $2" in
  "start candlekeep")
    ${command} > service.log 2>&1 &
    echo $! > service.pid
    for _ in $(seq 200); do grep -q /metrics service.log && exit 0; sleep 0.1; done
    cat service.log; exit 1;;
  "stop candlekeep")
    [ -e service.pid ] || exit 0
    kill -TERM "$(cat service.pid)"
    while kill -0 "$(cat service.pid)" 2> /dev/null; do sleep 0.1; done
    rm service.pid;;
  "show candlekeep") echo TimeoutStopUSec=30s;;
  *) exit 1;;
esac
`;
}

const settings = (site: string): NodeJS.ProcessEnv => ({
  PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`,
  HOME: home,
  TERM: 'dumb',
  SITE: site,
  CANDLEKEEP_EXCHANGES: 'binance,coinbase',
  CANDLEKEEP_SYMBOLS: 'binance:BTC/USDT,binance:ETH/USDT,binance:SOL/USDT,coinbase:BTC/USD',
  ...Object.fromEntries(stage.exchanges.map(({ exchange, url }) => [`CANDLEKEEP_${exchange.toUpperCase()}_URL`, url])),
  CANDLEKEEP_LISTEN: `127.0.0.1:${listenPort}`,
  LOG_LEVEL: 'error',
  SLACK_WEBHOOK_URL: `${slack.url}/services/T0/B0/secret`,
  CANDLEKEEP_DEADLINE: '5s',
});

interface Ended {
  readonly exit: number;
  readonly output: string;
}

const executed = (line: string, cwd: string, more: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(
      'bash',
      ['-o', 'pipefail', '-c', line],
      { cwd, env: { ...settings(cwd), ...more }, timeout: COMMAND_MS_MAX },
      (error, out, err) => {
        resolve({
          exit: error === null ? 0 : typeof error.code === 'number' ? error.code : 128,
          output: `${out}${err}`,
        });
      },
    );
  });

/** A data directory with a history: a month, rows in quarantine, an exchange that refused, a minute history of Coinbase. */
async function lived(site: string): Promise<void> {
  const { standIn } = stage.asked;
  const misbehave = (fault: FaultSpec, ...symbols: readonly string[]): void =>
    standIn.plan({
      seed: 'lived',
      rules: symbols.map((symbol) => ({ match: { path: '/api/v3/klines', symbol }, on: { every: 1 }, fault })),
    });
  writeFileSync(join(site, 'candlekeep.config.json'), '{}\n');
  misbehave({ kind: 'invalid-rows', rule: 'volume-negative', rows: 5 }, 'ETHUSDT', 'BTCUSDT');
  await executed('candlekeep backfill --start 2024-06-01 --end 2024-06-30 --exchange binance', site);
  misbehave({ kind: 'status', status: 403, body: 'html' }, 'SOLUSDT');
  await executed('candlekeep run --date 2024-07-01 --symbol SOL/USDT', site);
  misbehave({ kind: 'html' }, 'ETHUSDT');
  await executed('candlekeep run --date 2024-07-02 --symbol ETH/USDT', site);
  standIn.plan({ seed: 'healthy', rules: [] });
  await executed(
    'candlekeep backfill --exchange coinbase --start 2023-03-04 --end 2023-03-04 --interval 1m --symbol coinbase:BTC/USD',
    site,
  );
}

beforeAll(async () => {
  installed({ zstd: ['zstd'], jq: ['jq'], curl: ['curl'], prometheus: ['promtool'] });
  home = mkdtempSync(join(tmpdir(), 'candlekeep-documented-'));
  stage = await openDemoEnvironment({ clock: realClock, files: realFiles }, 0);
  slack = await serveOnLoopback(standInSlack().handle, { clock: realClock });
  listenPort = await freePort();
  mkdirSync(join(home, 'bin'));
  for (const [name, text] of Object.entries(programs())) writeFileSync(join(home, 'bin', name), text, { mode: 0o755 });
  mkdirSync(join(home, 'lived'));
  await lived(join(home, 'lived'));
});

afterAll(async () => {
  await Promise.all([stage.close(), slack.close()]);
  rmSync(home, { recursive: true, force: true });
});

/** One command of a page. */
interface Documented {
  readonly line: string;
  /** The code that the page shows the command to end with, where it is refused before anything is done. */
  readonly refusal: string | null;
}

/** Commands of shell blocks, of sessions, and of the lines of a crontab, block by block. */
function commandsOf(path: string): Documented[][] {
  return blocksOf(path, readFileSync(join(ROOT, path), 'utf8'))
    .map(({ language, content }): Documented[] => {
      const lines = content
        .replaceAll('\\\n', ' ')
        .split('\n')
        .filter((line) => line.trim() !== '');
      if (language === 'sh') return lines.map((line) => ({ line, refusal: null }));
      if (language === 'text')
        return lines.flatMap((line) =>
          (/^[\d*]\S* +\S+ +\* +\* +\* +(.+)$/.exec(line)?.slice(1) ?? []).map((command) => ({
            line: command,
            refusal: null,
          })),
        );
      if (language !== 'console') return [];
      return lines.flatMap((line, at) =>
        line.startsWith('$ ')
          ? [{ line: line.slice(2), refusal: /^error\[(CONFIG_INVALID)\]/.exec(lines[at + 1] ?? '')?.[1] ?? null }]
          : [],
      );
    })
    .filter((block) => block.length > 0);
}

/** The page's names for what differs between machines, as it is on this one. */
function onThisMachine(line: string, site: string, runId: string): string {
  const here = line
    .replaceAll('/srv', join(site, '..'))
    .replaceAll('/var/lib/node_exporter', site)
    .replaceAll('127.0.0.1:4680', `127.0.0.1:${listenPort}`)
    .replaceAll('hf_...', DEMO.token)
    .replaceAll('you/candles', DEMO.repo)
    .replaceAll(/\bRUN\b|\brun_[0-9a-z]{10,}/g, runId);
  return here.trim() === 'candlekeep start' ? `timeout --preserve-status -s TERM ${STAY_S} candlekeep start` : here;
}

const GOLD = { CANDLEKEEP_HF_REPO: DEMO.repo, HF_TOKEN: DEMO.token };

/** What has to be there before a page is of use. */
const PREPARED: Readonly<Record<string, string>> = {
  'docs/metrics.md': 'systemctl start candlekeep',
  'docs/runbook/ALERT_CHANNEL_BROKEN.md':
    'SLACK_WEBHOOK_URL=http://127.0.0.1:9/services/x/y candlekeep run --date 2024-07-03 --symbol FOO/USDT; touch candlekeep-data/undelivered.jsonl',
};

/** Answers that say what was found are as good as 0; a defect, a refusal of the command line and a missing program are not. */
const isUseful = ({ exit }: Ended): boolean => exit === 0 || (exit >= 3 && exit <= 9) || exit === 143;

/** Commands that are right to be refused on this stage, with the words that say why. */
const REFUSED: readonly (readonly [line: RegExp, output: RegExp])[] = [
  [/^candlekeep runs cancel/, /expected a run that is under way/],
  [/^candlekeep quarantine drop/, /expected a row in quarantine/], // the line before it has released the row
];

/** Executes commands one after another; returns those that did not do what somebody in need of them expects. */
async function failuresOf(commands: readonly Documented[], site: string, more: NodeJS.ProcessEnv): Promise<string[]> {
  const {
    items: [run],
  } = JSON.parse((await executed('candlekeep runs list --json', site)).output) as {
    readonly items: readonly { readonly id: string }[];
  };
  const failures: string[] = [];
  for (const { line, refusal } of commands) {
    const ended = await executed(onThisMachine(line, site, run?.id ?? ''), site, more);
    const isExpected =
      refusal !== null
        ? ended.exit === 2 && ended.output.includes(`error[${refusal}]`)
        : isUseful(ended) || REFUSED.some(([what, why]) => what.test(line) && why.test(ended.output));
    if (!isExpected) failures.push(`${line}\nended with ${ended.exit}:\n${ended.output.slice(-600)}`);
  }
  return failures;
}

/** The operating guide is one story: what its backup holds, its restore puts back. Blocks of other pages are for different days. */
const blocksToExecute = (path: string): Documented[][] =>
  path === 'docs/operations.md' ? [commandsOf(path).flat()] : commandsOf(path);

test.each(PAGES.filter((path) => commandsOf(path).length > 0))(
  'every command of %s does what somebody in need of it expects: none is refused, none is a defect',
  { timeout: 240_000 },
  async (path) => {
    const more = path.endsWith('PUBLISH_FAILED.md') ? { ...GOLD, HF_ENDPOINT: stage.hubUrl } : {};
    for (const [at, commands] of blocksToExecute(path).entries()) {
      const site = join(home, `${basename(path, '.md')}-${at}`, 'candles');
      cpSync(join(home, 'lived'), site, { recursive: true });
      const prepared = PREPARED[path];
      if (prepared !== undefined) await executed(prepared, site, more);
      const failures = await failuresOf(commands, site, more);
      await executed('systemctl stop candlekeep', site);
      expect(failures.join('\n\n')).toBe('');
    }
  },
);

test('a command that is none, that is refused or that finds no program would be found', async () => {
  const lines = [
    'candlekeep stat',
    'candlekeep runs show',
    'nosuchprogram',
    'systemctl restart candlekeep',
    'false | cat',
  ];
  expect(
    await failuresOf(
      lines.map((line) => ({ line, refusal: null })),
      join(home, 'lived'),
      {},
    ),
  ).toHaveLength(lines.length);
  expect(PAGES.flatMap(commandsOf).flat().length).toBeGreaterThan(100);
});

test('the health check of the container file follows the service it looks at, and who runs it may write its volume', async () => {
  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const [file] = blocksOf('docs/operations.md', text).filter(({ language }) => language === 'dockerfile');
  const check = onThisMachine(/^HEALTHCHECK CMD (.+)$/m.exec(file?.content ?? '')?.[1] ?? 'false', '', '').replace(
    /^node/,
    `"${process.execPath}"`,
  );
  const site = join(home, 'container', 'candles');
  cpSync(join(home, 'lived'), site, { recursive: true });
  const exits: number[] = [];
  for (const order of ['true', 'systemctl start candlekeep', 'systemctl stop candlekeep']) {
    await executed(order, site);
    exits.push((await executed(check, site)).exit);
  }
  expect(exits).toEqual([1, 0, 1]);
  const lines = file?.content.split('\n') ?? [];
  const at = (line: RegExp): number => lines.findIndex((one) => line.test(one));
  expect(
    [at(/^RUN .*chown node:node candlekeep-data$/), at(/^VOLUME \/srv\/candlekeep-data$/), at(/^USER node$/)].map(
      (line, order, all) => line > (all[order - 1] ?? -1),
    ),
  ).toEqual([true, true, true]);
});
