import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  compareVersions,
  packageProblems,
  releasedChangelog,
  versionProblem,
  withVersion,
} from '../../scripts/release-rules.ts';

const ROOT = join(import.meta.dirname, '../..');
const CHANGELOG = `# Changelog

## [Unreleased]

### Fixed

- A gap.

## [0.9.0] - 2026-01-31

- First.
`;

test('versions are compared number by number', () => {
  expect(['0.10.0', '0.9.1', '1.0.0', '0.9.0'].toSorted(compareVersions)).toEqual([
    '0.9.0',
    '0.9.1',
    '0.10.0',
    '1.0.0',
  ]);
  expect(compareVersions('1.2.3', '1.2.3')).toBe(0);
});

test.each(['1.2', '09.1.1', 'v1.2.3', '1.2.3-rc.1', '1.2.3 ', ''])('"%s" is no version to release', (text) => {
  expect(() => compareVersions(text, '1.0.0')).toThrow('not a version');
});

test('a version is released only when it is greater than what was released and not lower than package.json', () => {
  expect(versionProblem('0.9.0', '0.9.0', CHANGELOG)).toBe('0.9.0 is already released');
  expect(versionProblem('0.8.9', '0.9.0', CHANGELOG)).toBe('0.9.0 is already released');
  expect(versionProblem('0.9.1', '1.0.0', CHANGELOG)).toBe('package.json is at 1.0.0 already');
  expect(versionProblem('0.10.0', '0.9.0', CHANGELOG)).toBeNull();
});

test('the first release may have the version that package.json holds', () => {
  expect(versionProblem('0.1.0', '0.1.0', '## [Unreleased]\n\n- All of it.\n')).toBeNull();
});

test('a release moves the entries under Unreleased below its version and date', () => {
  expect(releasedChangelog(CHANGELOG, '0.9.1', '2026-02-01')).toBe(
    CHANGELOG.replace('## [Unreleased]\n', '## [Unreleased]\n\n## [0.9.1] - 2026-02-01\n'),
  );
});

test('a release without entries, or of a changelog without the section, is refused', () => {
  const released = releasedChangelog(CHANGELOG, '0.9.1', '2026-02-01');
  expect(() => releasedChangelog(released, '0.9.2', '2026-02-02')).toThrow('no entry');
  expect(() => releasedChangelog('# Changelog\n', '0.9.2', '2026-02-02')).toThrow('no section');
});

test("the repository's own changelog can be released", () => {
  const changelog = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8');
  const next = releasedChangelog(changelog, '999.0.0', '2026-02-01');
  expect(versionProblem('999.0.0', '999.0.0', next)).toBe('999.0.0 is already released');
});

test.each(['package.json', 'package-lock.json'])('only the version of the package itself changes in %s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const { version } = JSON.parse(text) as { readonly version: string };
  const changed = withVersion(text, version, '999.0.0');
  expect(JSON.parse(changed)).toMatchObject({ version: '999.0.0' });
  expect(withVersion(changed, '999.0.0', version)).toBe(text);
  expect(() => withVersion(text, '998.0.0', '999.0.0')).toThrow('expected version');
});

const PACKAGE = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'bin/candlekeep.mjs',
  'dist/api/library.d.ts',
  'dist/api/library.js',
  'dist/cli/main.js',
  'docs/README.md',
  'package.json',
  'recordings/binance.json',
];

test('a package with everything a user needs has no problems', () => {
  expect(packageProblems(PACKAGE)).toEqual([]);
});

test.each([
  'src/cli/main.ts',
  'tests/support/virtual/virtual-clock.ts',
  'dist/domain/range.test.js',
  'dist/cli/main.ts',
  '.npmrc',
])('%s is not published', (path) => {
  expect(packageProblems([...PACKAGE, path])).toEqual([`must not be published: ${path}`]);
});

test.each(PACKAGE)('a package without %s is refused', (path) => {
  expect(packageProblems(PACKAGE.filter((kept) => kept !== path))).toHaveLength(1);
});
