import { execFileSync, spawnSync } from 'node:child_process';

const found = (binary: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${binary}`], { stdio: 'ignore' }).status === 0;

/**
 * Installs those of the Debian packages whose binaries are missing. @throws where that is impossible: a test that needs
 * them fails, it is not skipped.
 */
export function installed(packages: Readonly<Record<string, readonly string[]>>): void {
  const missing = Object.entries(packages)
    .filter(([, binaries]) => !binaries.every(found))
    .map(([name]) => name);
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = (...args: readonly string[]): unknown =>
    execFileSync('env', ['DEBIAN_FRONTEND=noninteractive', ...sudo, 'apt-get', '-qq', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
  try {
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...missing);
  } catch (error) {
    throw new Error(`cannot install ${missing.join(', ')} with apt-get`, { cause: error });
  }
  const absent = Object.values(packages)
    .flat()
    .filter((binary) => !found(binary));
  if (absent.length > 0) throw new Error(`${missing.join(', ')} did not install ${absent.join(', ')}`);
}
