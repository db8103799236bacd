// npm run release -- VERSION: prepares a release as one commit and one tag. Pushes nothing and publishes nothing.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { packageProblems, releasedChangelog, versionProblem, withVersion } from './release-rules.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FILES = ['CHANGELOG.md', 'package.json', 'package-lock.json'] as const;
const at = (path: string): string => `${ROOT}${path}`;
const run = (command: string, ...args: readonly string[]): string =>
  execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** Paths of the files that `npm publish` would upload. The package is built first. */
function packedPaths(): string[] {
  const [packed] = JSON.parse(run('npm', 'pack', '--dry-run', '--json')) as [
    { readonly files: readonly { readonly path: string }[] },
  ];
  return packed.files.map(({ path }) => path);
}

/** @throws when version, work tree, changelog or package forbid the release; the files are then as before. */
function prepareRelease(version: string): void {
  if (run('git', 'status', '--porcelain') !== '') throw new Error('the work tree has changes: commit or stash them');
  if (run('git', 'tag', '--list', `v${version}`) !== '') throw new Error(`the tag v${version} exists already`);
  const before = FILES.map((path) => readFileSync(at(path), 'utf8'));
  const [changelog = '', manifest = '', lock = ''] = before;
  const current = (JSON.parse(manifest) as { readonly version: string }).version;
  const problem = versionProblem(version, current, changelog);
  if (problem !== null) throw new Error(`cannot release ${version}: ${problem}`);
  const after = [
    releasedChangelog(changelog, version, new Date().toISOString().slice(0, 10)),
    withVersion(manifest, current, version),
    withVersion(lock, current, version),
  ];
  const write = (texts: readonly string[]): void =>
    FILES.forEach((path, index) => writeFileSync(at(path), texts[index] ?? ''));
  write(after);
  try {
    const problems = packageProblems(packedPaths());
    if (problems.length > 0) throw new Error(`the package is wrong:\n${problems.join('\n')}`);
    run('git', 'commit', '--quiet', '--message', `Release ${version}`, '--', ...FILES);
  } catch (error) {
    write(before);
    throw error;
  }
  run('git', 'tag', '--annotate', `v${version}`, '--message', `Candlekeep ${version}`);
}

const [version, ...rest] = process.argv.slice(2);
if (version === undefined || rest.length > 0) {
  console.error('usage: npm run release -- VERSION');
  process.exitCode = 2;
} else {
  try {
    prepareRelease(version);
    console.log(`Committed and tagged v${version} locally. To publish it:`);
    console.log('  git push --follow-tags');
    console.log('  npm publish');
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
