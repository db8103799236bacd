import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realFiles } from '../../src/platform/node/disk-files.ts';
import { realClock } from '../../src/platform/node/system-clock.ts';
import type { FaultSpec } from '../../src/simulation/fault-plan.ts';
import { serveOnLoopback, type LoopbackServer } from '../../src/simulation/loopback.ts';
import { standInSlack } from '../support/stand-ins/stand-in-slack.ts';
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
/** Packages may have to be installed first. */
const SETUP_MS_MAX = 300_000;
/** `candlekeep start` does not end by itself; it receives SIGTERM after this time. */
const STAY_S = 4;

let demo: DemoEnvironment;
let slack: LoopbackServer;
let home: string;
let listenPort: number;

/** Programs on PATH: candlekeep from source, and replacements for those that would change the machine. */
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

/** Installs nothing and starts no soak, but refuses unknown commands and wrong flags of the soak. */
function npm(): string {
  const options = join(ROOT, 'tests/soak/options.ts');
  const check = `const { readOptions } = await import("${options}"); readOptions(process.argv.slice(1));`;
  return `#!/bin/sh
case "$1 $2" in
  "install candlekeep@latest" | "install @opentelemetry/api") ;;
  "run soak")
    shift 2
    [ "$1" != "--" ] || shift
    exec "${process.execPath}" --input-type=module -e '${check}' -- "$@";;
  *) exit 1;;
esac
`;
}

/** A service manager with the operating guide's unit: it starts the ExecStart command and stops it with SIGTERM. */
function systemctl(): string {
  const [, command] = /^ExecStart=\S*\/(.+)$/m.exec(readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')) ?? [];
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
  ...Object.fromEntries(demo.exchanges.map(({ exchange, url }) => [`CANDLEKEEP_${exchange.toUpperCase()}_URL`, url])),
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

/** Fills a data directory: a month of candles, rows in quarantine, a 403, a malformed response, minutes of Coinbase. */
async function writeHistory(site: string): Promise<void> {
  const { standIn } = demo.exchange;
  const injectAlways = (fault: FaultSpec, ...symbols: readonly string[]): void =>
    standIn.plan({
      seed: 'history',
      rules: symbols.map((symbol) => ({ match: { path: '/api/v3/klines', symbol }, on: { every: 1 }, fault })),
    });
  writeFileSync(join(site, 'candlekeep.config.json'), '{}\n');
  injectAlways({ kind: 'invalid-rows', rule: 'volume-negative', rows: 5 }, 'ETHUSDT', 'BTCUSDT');
  await executed('candlekeep backfill --start 2024-06-01 --end 2024-06-30 --exchange binance', site);
  injectAlways({ kind: 'status', status: 403, body: 'html' }, 'SOLUSDT');
  await executed('candlekeep run --date 2024-07-01 --symbol SOL/USDT', site);
  injectAlways({ kind: 'html' }, 'ETHUSDT');
  await executed('candlekeep run --date 2024-07-02 --symbol ETH/USDT', site);
  standIn.plan({ seed: 'healthy', rules: [] });
  await executed(
    'candlekeep backfill --exchange coinbase --symbol coinbase:BTC/USD --interval 1m ' +
      '--start 2023-03-04 --end 2023-03-04',
    site,
  );
}

beforeAll(async () => {
  installed({ zstd: ['zstd'], jq: ['jq'], curl: ['curl'], prometheus: ['promtool'] });
  home = mkdtempSync(join(tmpdir(), 'candlekeep-documented-'));
  demo = await openDemoEnvironment({ clock: realClock, files: realFiles }, 0);
  slack = await serveOnLoopback(standInSlack().handle, { clock: realClock });
  listenPort = await freePort();
  mkdirSync(join(home, 'bin'));
  for (const [name, text] of Object.entries(programs())) writeFileSync(join(home, 'bin', name), text, { mode: 0o755 });
  mkdirSync(join(home, 'history'));
  await writeHistory(join(home, 'history'));
}, SETUP_MS_MAX);

afterAll(async () => {
  await Promise.all([demo.close(), slack.close()]);
  rmSync(home, { recursive: true, force: true });
});

/** One command of a page. */
interface Documented {
  readonly line: string;
  /** The exit code that the page shows for a refused command. */
  readonly refusal: string | null;
}

/** Commands of shell blocks, sessions and crontab lines, block by block. */
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

/** Replaces the page's placeholders and paths by those of this machine. */
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

/** Commands that create the situation a page is about. */
const PREPARED: Readonly<Record<string, string>> = {
  'docs/metrics.md': 'systemctl start candlekeep',
  'docs/runbook/ALERT_CHANNEL_BROKEN.md':
    'SLACK_WEBHOOK_URL=http://127.0.0.1:9/services/x/y candlekeep run --date 2024-07-03 --symbol FOO/USDT; ' +
    'touch candlekeep-data/undelivered.jsonl',
};

/** Exit codes that report a finding are as good as 0; those of a defect, a usage error or a missing program are not. */
const isUseful = ({ exit }: Ended): boolean => exit === 0 || (exit >= 3 && exit <= 9) || exit === 143;

/** Commands that are rightly refused here, and the reason that they print. */
const REFUSED: readonly (readonly [line: RegExp, output: RegExp])[] = [
  [/^candlekeep runs cancel/, /expected a run that is under way/],
  [/^candlekeep quarantine drop/, /expected a row in quarantine/], // the line before it has released the row
];

/** Executes commands one after another and returns those that failed, with their output. */
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

/** The operating guide's blocks build on each other (backup, then restore). Blocks of other pages are independent. */
const blocksToExecute = (path: string): Documented[][] =>
  path === 'docs/operations.md' ? [commandsOf(path).flat()] : commandsOf(path);

test.each(PAGES.filter((path) => commandsOf(path).length > 0))(
  'every command of %s works: none is refused, none ends with a defect',
  { timeout: 240_000 },
  async (path) => {
    const more = path.endsWith('PUBLISH_FAILED.md') ? { ...GOLD, HF_ENDPOINT: demo.hubUrl } : {};
    for (const [at, commands] of blocksToExecute(path).entries()) {
      const site = join(home, `${basename(path, '.md')}-${at}`, 'candles');
      cpSync(join(home, 'history'), site, { recursive: true });
      const prepared = PREPARED[path];
      if (prepared !== undefined) await executed(prepared, site, more);
      const failures = await failuresOf(commands, site, more);
      await executed('systemctl stop candlekeep', site);
      expect(failures.join('\n\n')).toBe('');
    }
  },
);

test('an unknown command, a refused one and a missing program would be found', async () => {
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
      join(home, 'history'),
      {},
    ),
  ).toHaveLength(lines.length);
  expect(PAGES.flatMap(commandsOf).flat().length).toBeGreaterThan(100);
});

test('the health check of the container file follows the service, and its user may write the volume', async () => {
  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const [file] = blocksOf('docs/operations.md', text).filter(({ language }) => language === 'dockerfile');
  const check = onThisMachine(/^HEALTHCHECK CMD (.+)$/m.exec(file?.content ?? '')?.[1] ?? 'false', '', '').replace(
    /^node/,
    `"${process.execPath}"`,
  );
  const site = join(home, 'container', 'candles');
  cpSync(join(home, 'history'), site, { recursive: true });
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
