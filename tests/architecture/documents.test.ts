import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { faultsDocument, RUNBOOK_SECTIONS, runbookPage, runbookPath } from '../../src/errors/catalogue.ts';
import { GAP_RULES } from '../../src/lake/quality/gaps/gap-rules.ts';
import { METRIC_NAMES } from '../../src/metrics/families.ts';
import { monitoringFiles } from '../../src/metrics/monitoring-files.ts';
import { RULE_CODES, RULE_SECTIONS, ruleRunbookPage, ruleRunbookPath } from '../../src/metrics/rules.ts';
import { FAULT_CODES } from '../../src/errors/table.ts';
import { OPTION_KEYS, optionOf } from '../../src/configuration/options.ts';
import {
  blocksOf,
  compilerErrors,
  mentionedCommandsOf,
  refusalOf,
  shellCommandsOf,
  withoutOutput,
} from './documents.ts';
import { ROOMS } from './rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
/** Files that git tracks, and new ones that it does not ignore. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)));

const LINK = /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g;
/** Files that relative links lead to, without anchors. */
const linksOf = (text: string): string[] =>
  [...text.matchAll(LINK)].flatMap(([, target = '']) => (target === '' ? [] : [target]));
/** The anchors that a page of Markdown has: one for each title. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );

function brokenLinks(path: string, text: string): string[] {
  return [...text.matchAll(LINK)].flatMap(([, target = '', anchor]) => {
    const file = join(dirname(path), target);
    const isThere = target === '' || existsSync(join(ROOT, file));
    const hasAnchor =
      anchor === undefined || (isThere && anchorsOf(target === '' ? text : textOf(file)).includes(anchor));
    return isThere && hasAnchor ? [] : [`${path}: ${target}${anchor === undefined ? '' : `#${anchor}`}`];
  });
}

/** Folders of one machine, and a registry's address in the lock file; put together so that this file is clean. */
const PRIVATE = new RegExp(
  [...['work', 'root', 'home'].map((folder) => String.raw`(?<![\w.*})\]])/${folder}/`), `"${'resolved'}": "http`].join(
    '|',
  ),
);

test('docs/faults.md is what the fault table says (npm run docs writes it)', () => {
  expect(textOf('docs/faults.md')).toBe(faultsDocument());
});

test('every fault code and every rule has its runbook page and no page is without a code', () => {
  const pages = files.filter((path) => path.startsWith('docs/runbook/') && path !== 'docs/runbook/README.md');
  expect(pages.toSorted()).toEqual([...FAULT_CODES.map(runbookPath), ...RULE_CODES.map(ruleRunbookPath)].toSorted());
});

test.each(FAULT_CODES)(
  'the runbook page of %s has the head that npm run docs writes, and no section is missing or empty',
  (code) => {
    const text = textOf(runbookPath(code));
    expect(text).toBe(runbookPage(code, text));
    const [, ...sections] = text.split(/^## /m);
    expect(sections.map((section) => section.split('\n')[0])).toEqual(RUNBOOK_SECTIONS);
    expect(sections.filter((section) => section.trim().split('\n').length < 2)).toEqual([]);
  },
);

test.each(RULE_CODES)(
  'the runbook page of %s says what the table of rules says (npm run docs writes its head), and what to run',
  (code) => {
    const text = textOf(ruleRunbookPath(code));
    expect(text).toBe(ruleRunbookPage(code, text));
    const [, ...sections] = text.split(/^## /m);
    expect(sections.map((section) => section.split('\n')[0])).toEqual(RULE_SECTIONS);
    expect(sections.filter((section) => section.trim().split('\n').length < 2)).toEqual([]);
  },
);

test('examples/monitoring is what the tables of metrics and rules say (npm run docs writes it)', () => {
  const written = monitoringFiles();
  for (const { path, text } of written) expect(textOf(`examples/monitoring/${path}`), path).toBe(text);
  expect(files.filter((path) => path.startsWith('examples/monitoring/')).toSorted()).toEqual(
    written.map(({ path }) => `examples/monitoring/${path}`).toSorted(),
  );
});

test('docs/metrics.md has a row for every metric and every rule', () => {
  const rows = textOf('docs/metrics.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .join('\n');
  for (const name of [...METRIC_NAMES, ...RULE_CODES]) expect(rows).toContain(`| \`${name}\``);
});

test('the index of the runbook links every page', () => {
  expect(linksOf(textOf('docs/runbook/README.md'))).toEqual(
    expect.arrayContaining([...FAULT_CODES, ...RULE_CODES].map((code) => `${code}.md`)),
  );
});

test('the table of contents links every document', () => {
  const listed = linksOf(textOf('docs/README.md')).map((link) => join('docs', link));
  const documents = files.filter(
    (path) =>
      /^docs\/.*\.md$/.test(path) &&
      !FAULT_CODES.some((code) => path === runbookPath(code)) &&
      !RULE_CODES.some((code) => path === ruleRunbookPath(code)),
  );
  expect(listed.filter((path) => path.startsWith('docs/')).toSorted()).toEqual(
    documents.filter((path) => path !== 'docs/README.md').toSorted(),
  );
});

/** What users read; decisions and the changelog tell how things were. */
const MANUAL = files.filter((path) => /^(?:README\.md|CONTRIBUTING\.md|docs\/(?!decisions\/).*\.md)$/.test(path));

test('every command line in shell blocks of the manual is one that the command line takes', async () => {
  const commands = MANUAL.flatMap((path) => shellCommandsOf(path, textOf(path)));
  expect(commands).toContainEqual(['demo', '--once']);
  expect(commands.length).toBeGreaterThan(FAULT_CODES.length);
  expect((await Promise.all(commands.map(refusalOf))).filter((refusal) => refusal !== null)).toEqual([]);
});

test('every command that the manual mentions exists, with its options', async () => {
  const commands = MANUAL.flatMap((path) => mentionedCommandsOf(textOf(path)));
  expect(commands).toContainEqual(['policies']);
  const refusals = (await Promise.all(commands.map(refusalOf))).filter((refusal) => refusal !== null);
  expect(refusals.filter((refusal) => !/required option|missing required argument/.test(refusal))).toEqual([]);
});

test('an invalid command line would be found', async () => {
  const found = shellCommandsOf(
    'x.md',
    '```sh\nA=1 npx candlekeep heal --wow # why\nls | candlekeep runs show\n```\n' +
      '```console\n$ candlekeep run --date 2024-06-01 && candlekeep stat\nerror candlekeep\n```\n',
  );
  expect(found).toEqual([['heal', '--wow'], ['runs', 'show'], ['run', '--date', '2024-06-01'], ['stat']]);
  expect(mentionedCommandsOf('see `candlekeep heal --wow`, `candlekeep` and `npm run -s cli -- ARGS`')).toEqual([
    ['heal', '--wow'],
  ]);
  expect(await Promise.all(found.map(refusalOf))).toEqual([
    expect.stringContaining('--wow'),
    expect.stringContaining('missing required argument'),
    null,
    expect.stringContaining('stat'),
  ]);
});

test('every TypeScript block of the manual compiles against the library', () => {
  const blocks = MANUAL.flatMap((path) => blocksOf(path, textOf(path))).filter(({ language }) => language === 'ts');
  expect(blocks.map(({ path }) => path)).toContain('README.md');
  expect(compilerErrors(blocks)).toBe('');
});

test('a TypeScript block that does not compile would be found', () => {
  const content = "import { defineConfig } from 'candlekeep';\nexport default defineConfig({ intervall: '1h' });\n";
  expect(compilerErrors([{ path: 'README.md', language: 'ts', note: '', content }])).toMatch(
    /README\.md block 0.*intervall/s,
  );
});

test('docs/metrics.md shows the OpenTelemetry example as it is tested, and installs what it imports', () => {
  const text = textOf('docs/metrics.md');
  const example = textOf('examples/opentelemetry/otel.mjs');
  expect(
    blocksOf('docs/metrics.md', text)
      .filter(({ language }) => language === 'js')
      .map(({ content }) => content),
  ).toEqual([example]);
  const imported = [...example.matchAll(/from '(@opentelemetry\/[^']+)'/g)].map(([, name = '']) => name);
  const installed = [...(/^npm install (.*)$/m.exec(text)?.[1] ?? '').matchAll(/\S+/g)].map(([name]) => name);
  expect(installed.toSorted()).toEqual(imported.toSorted());
});

test('docs/configuration.md has a row for every variable, and the manual names no other', () => {
  const known = OPTION_KEYS.map((key) => optionOf(key).env);
  const rows = textOf('docs/configuration.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .join('\n');
  expect(known.filter((name) => !rows.includes(`\`${name}\``))).toEqual([]);
  const secretFiles = OPTION_KEYS.map(optionOf).flatMap(({ env, isSecret }) => (isSecret ? [`${env}_FILE`] : []));
  const named = MANUAL.flatMap((path) => withoutOutput(textOf(path)).match(/\bCANDLEKEEP_[A-Z_]+\b/g) ?? []);
  expect(named.filter((name) => ![...known, ...secretFiles].includes(name))).toEqual([]);
});

test('docs/decisions/0008-gap-reasons.md lists exactly the rules, in the order in which they decide', () => {
  const listed = [...textOf('docs/decisions/0008-gap-reasons.md').matchAll(/^\| `(\w+)` \| (\w+) \| (.+) \|$/gm)].map(
    ([, ...columns]) => columns,
  );
  expect(listed).toEqual(Object.entries(GAP_RULES).map(([cause, { state, says }]) => [cause, state, says]));
});

test('src/README.md lists exactly the rooms, in import order', () => {
  const listed = [...textOf('src/README.md').matchAll(/^\| \d+ \| `([^`]+)` \|/gm)].map(([, room]) => room);
  expect(listed).toEqual(ROOMS);
});

test('src/README.md names files that exist', () => {
  const named = [...textOf('src/README.md').matchAll(/`([\w./<>-]+\/[\w-]+\.ts)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(20);
  const paths = named.map((path) => `src/${path.replace('<exchange>', 'binance')}`);
  expect(paths.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('relative links in every document lead to a file, and their anchors to a title', () => {
  const documents = files.filter((path) => path.endsWith('.md'));
  expect(documents).toContain('CONTRIBUTING.md');
  expect(documents.flatMap((path) => brokenLinks(path, textOf(path)))).toEqual([]);
});

test("no file names a folder of somebody's machine or a registry's address", () => {
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((path) => PRIVATE.test(textOf(path)))).toEqual([]);
});

test('a broken link and a private path would be found', () => {
  const text =
    '# It is `here`\n[a](../README-none.md#top) [b](../package.json) [c](https://example.org/#x) [d](#it-is-here) ' +
    '[e](#there) [f](../README.md#limits-of-this-release) [g](../README.md#limits)';
  expect(brokenLinks('docs/x.md', text)).toEqual([
    'docs/x.md: ../README-none.md#top',
    'docs/x.md: #there',
    'docs/x.md: ../README.md#limits',
  ]);
  expect(['work', 'root', 'home'].filter((folder) => !PRIVATE.test(`see /${folder}/x`))).toEqual([]);
  expect(PRIVATE.test('  "resol' + 'ved": "https://registry.example"')).toBe(true);
  expect(PRIVATE.test('src/work/x')).toBe(false);
});
