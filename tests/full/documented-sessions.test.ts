import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { differenceOf, stepsOf, type Step } from '../support/command-line/documented-session.ts';
import { openTerminal } from '../support/command-line/terminal.ts';

const ROOT = join(import.meta.dirname, '../..');
const SESSION_MS_MAX = 400_000;

function freshDirectory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'candlekeep-session-')));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Copies the files that a clone would hold: those that git tracks, and new ones that it does not ignore. */
function cloneInto(directory: string): string {
  const clone = join(directory, 'candlekeep');
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  }).split('\0');
  for (const file of files)
    if (file !== '' && existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(clone, file));
  return clone;
}

/** A folder with programs that documents use and that are not installed everywhere. */
function standInPrograms(home: string): string {
  const folder = join(home, 'bin');
  mkdirSync(folder);
  writeFileSync(
    join(folder, 'duckdb'),
    `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'tests/support/command-line/duckdb-command.ts')}" "$@"\n`,
    { mode: 0o755 },
  );
  return folder;
}

/** Executes a session in both its terminals up to the first command whose output differs from the document. */
async function differencesOf(
  steps: readonly Step[],
  { home, cwd }: { readonly home: string; readonly cwd: string },
): Promise<string[]> {
  const terminals = { first: openTerminal(cwd), second: openTerminal(cwd) };
  const differs = ({ shown }: Step, output: string): string | null => differenceOf(shown, output.replaceAll(home, '~'));
  try {
    for (const step of steps) {
      const isEnough = (output: string): boolean => differs(step, output) === null;
      const output =
        step.terminal === 'first'
          ? (await terminals.first.run(step.command)).output
          : await terminals.second.begin(step.command, isEnough);
      const difference = differs(step, output);
      if (difference !== null) return [`$ ${step.command}\n${difference}`];
    }
    return [];
  } finally {
    await Promise.all([terminals.first.close(), terminals.second.close()]);
  }
}

test.each(['README.md', 'docs/first-hour.md'])(
  'the session of %s, executed in a fresh clone, prints what the document shows',
  { timeout: SESSION_MS_MAX },
  async (document) => {
    const home = freshDirectory();
    const preparation: Step = {
      terminal: 'first',
      command: `export CANDLEKEEP_LISTEN=127.0.0.1:0 PATH="${standInPrograms(home)}:$PATH"`,
      shown: '',
    };
    const steps = stepsOf(document, readFileSync(join(ROOT, document), 'utf8'));
    expect(steps.length).toBeGreaterThan(0);
    expect(await differencesOf([preparation, ...steps], { home, cwd: cloneInto(home) })).toEqual([]);
  },
);

test('a wrong line is found in both terminals; directory, variables and aliases last between commands', async () => {
  const home = freshDirectory();
  const session = (shownFirst: string, shownSecond: string): Step[] =>
    stepsOf(
      'x.md',
      [
        '```console second terminal',
        '$ echo up; sleep 5; echo never',
        shownSecond,
        '```',
        '```console',
        '$ mkdir candles && cd candles && export A=1 && alias where=pwd',
        '$ where; echo $A',
        shownFirst,
        '```',
        '',
      ].join('\n'),
    );
  expect(await differencesOf(session('~/candles\n1', 'up'), { home, cwd: home })).toEqual([]);
  rmSync(join(home, 'candles'), { recursive: true });
  expect(await differencesOf(session('~/candles\n2', 'up'), { home, cwd: home })).toEqual([
    expect.stringMatching(/^\$ where; echo \$A\nexpected at line 2: 2\n/),
  ]);
  expect(await differencesOf(session('~/candles\n1', 'down'), { home, cwd: home })).toEqual([
    expect.stringMatching(/^\$ echo up.*\nexpected at line 1: down\n/),
  ]);
});
