import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { directory } from '../../tests/support/command-line/command-line.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

/** Writes the URL of every module that is loaded to standard error when the process exits. */
const RECORDER = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  const urls = [];
  registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
  process.on('exit', () => writeSync(2, urls.join('\\n')));
`)}`;

/** The packages that one command line loads in a process of its own, and how many files of ours. */
function loadedBy(...args: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, ['--import', RECORDER, MAIN, ...args], {
    cwd: directory(),
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  const urls = stderr.split('\n');
  const packages = urls.flatMap((url) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
  const own = urls.flatMap((url) => /\/src\/(.+)$/.exec(url)?.[1] ?? []);
  return { packages: [...new Set(packages)].toSorted(), own };
}

test('--version loads no package and does not build the commands', () => {
  const { packages, own } = loadedBy('--version');
  expect(packages).toEqual([]);
  expect(own.filter((path) => path.startsWith('cli/commands/'))).toEqual([]);
});

test.each([[['--help']], [['backfill', '--help']]])('%j loads the declarations of commands and no action', (args) => {
  const { packages, own } = loadedBy(...args);
  expect(packages).toEqual(['commander']);
  expect(own.filter((path) => /^(?:cli\/actions|configuration|exchanges|engine|state)\//.test(path))).toEqual([]);
});

/** Commands that need the state store, the fault table or the declarations of commands, and nothing else. */
const LIGHT = [
  ['completion', 'bash'],
  ['explain', 'NOT_FOUND'],
  ['policies'],
  ['status'],
  ['runs', 'list'],
  ['alerts', 'list'],
  ['alerts', 'list', '--history'],
  ['symbols', 'list'],
  ['symbols', 'list', '--history'],
  ['resume'],
];

/** What such a command never uses. Every module costs about half a millisecond at each start. */
const HEAVY = new RegExp(
  String.raw`^(?:simulation|engine/(?:daemon|ingest|runs|recovery|monitoring|plan)|lake/(?:quality|silver|gold)|` +
    String.raw`alerting/(?:channels|outbox/delivery|plan)|resilience/(?!schema)|exchanges/(?!registry|[a-z]+/entry)|` +
    String.raw`api/open-pipeline|platform/node/(?:duckdb|undici|smtp|open-telemetry))`,
);

test.each(LIGHT.map((args) => [args]))(
  '%j loads no package but commander, no policy, no channel and nothing that ingests or publishes',
  (args) => {
    const { packages, own } = loadedBy(...args);
    expect(packages).toEqual(['commander']);
    expect(own.filter((path) => HEAVY.test(path))).toEqual([]);
  },
);
