// What a release may be, decided from text alone: versions, the changelog, the files of the package.

type Version = readonly [major: number, minor: number, patch: number];

const VERSION = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)$/;
const UNRELEASED = '## [Unreleased]';
const RELEASED = /^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d{2}-\d{2}$/gm;

/** @throws when `text` is not MAJOR.MINOR.PATCH; Candlekeep publishes no pre-releases. */
function parseVersion(text: string): Version {
  const [, major, minor, patch] = VERSION.exec(text) ?? [];
  if (patch === undefined) throw new Error(`not a version of the form MAJOR.MINOR.PATCH: ${text}`);
  return [Number(major), Number(minor), Number(patch)];
}

/** Negative when `a` is older than `b`, 0 when they are the same version. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parseVersion(a), parseVersion(b)];
  return left[0] - right[0] || left[1] - right[1] || left[2] - right[2];
}

/** Versions that the changelog lists with a date. */
const releasedVersions = (changelog: string): string[] =>
  [...changelog.matchAll(RELEASED)].map(([, version = '']) => version);

/**
 * Why `version` cannot be released; null when it can. It must be greater than every released version, and not lower
 * than `current`, the version in package.json. The two may be equal: the first release has the version it was built as.
 */
export function versionProblem(version: string, current: string, changelog: string): string | null {
  const newest = releasedVersions(changelog).toSorted(compareVersions).at(-1);
  if (newest !== undefined && compareVersions(version, newest) <= 0) return `${newest} is already released`;
  return compareVersions(version, current) < 0 ? `package.json is at ${current} already` : null;
}

/** The changelog with the entries under Unreleased moved to `version`. @throws when there are none. */
export function releasedChangelog(changelog: string, version: string, date: string): string {
  const start = changelog.indexOf(`${UNRELEASED}\n`);
  if (start < 0) throw new Error(`CHANGELOG.md has no section ${UNRELEASED}`);
  const body = start + UNRELEASED.length + 1;
  const next = changelog.indexOf('\n## ', body);
  const entries = changelog.slice(body, next < 0 ? undefined : next);
  if (!/^- /m.test(entries)) throw new Error(`CHANGELOG.md has no entry under ${UNRELEASED}`);
  return `${changelog.slice(0, body)}\n## [${version}] - ${date}\n${changelog.slice(body)}`;
}

/** The text of package.json or package-lock.json with the package's own version replaced; the rest stays as it is. */
export function withVersion(text: string, from: string, to: string): string {
  const parsed = JSON.parse(text) as { readonly lockfileVersion?: number };
  const wanted = parsed.lockfileVersion === undefined ? 1 : 2;
  const own = new RegExp(`("name": "candlekeep",\\s+"version": ")${from.replaceAll('.', String.raw`\.`)}"`, 'g');
  if ([...text.matchAll(own)].length !== wanted) throw new Error(`expected version ${from} ${wanted} times`);
  return text.replaceAll(own, `$1${to}"`);
}

const REQUIRED = [
  'CHANGELOG.md',
  'LICENSE',
  'README.md',
  'bin/candlekeep.mjs',
  'dist/api/library.d.ts',
  'dist/api/library.js',
  'dist/cli/main.js',
  'docs/README.md',
  'package.json',
];
const ALLOWED = /^(?:(?:bin|dist|docs|recordings)\/.+|CHANGELOG\.md|LICENSE|README\.md|package\.json)$/;
const COMPILED = /\.(?:js|d\.ts)$/;
const OF_TESTS = /\.test\./;

/** What is wrong with the files of the package; empty when nothing is. */
export function packageProblems(paths: readonly string[]): string[] {
  const missing = REQUIRED.filter((path) => !paths.includes(path)).map((path) => `missing: ${path}`);
  if (!paths.some((path) => path.startsWith('recordings/'))) missing.push('missing: recordings');
  const stray = paths.filter(
    (path) => !ALLOWED.test(path) || OF_TESTS.test(path) || (path.startsWith('dist/') && !COMPILED.test(path)),
  );
  return [...missing, ...stray.map((path) => `must not be published: ${path}`)];
}
