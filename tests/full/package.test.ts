import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

test('the packed package, installed into an empty folder, runs its demo to the end', { timeout: 300_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'candlekeep-package-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, allowScripts: { node: true } }));
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', `./${tarball}`], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  const printed = execFileSync('npx', ['candlekeep', 'demo', '--once', '--json'], { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  expect(JSON.parse(printed)).toMatchObject({ schema: 1, ok: true, exit: 0, comparison: { lost: 0, doubled: 0, invented: 0, wrong: 0 } });
  writeFileSync(join(folder, 'use.mjs'), 'import { policies, classify, defineConfig } from "candlekeep"; console.log(policies.EXCHANGE_RATE_LIMITED.triesMax, classify(new TypeError("x")).verdict, defineConfig({ interval: "1h" }).interval);');
  expect(execFileSync('npx', ['node', 'use.mjs'], { cwd: folder, encoding: 'utf8' }).trim()).toBe('5 defect 1h');
});
