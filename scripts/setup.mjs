// Makes a clone runnable: installs what package-lock.json says, and only when it changed.
// Plain JavaScript for Node 18 and newer, because the first run happens before our own Node is here.
// Everything it prints goes to stderr: stdout belongs to the command that follows.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
// Inside node_modules, so that deleting the folder also forgets that it was set up.
const STAMP = join(ROOT, 'node_modules', '.setup-stamp');
const LOCK = join(ROOT, '.setup-lock');
const OWNER = join(LOCK, 'owner');
const ADOPTION = join(LOCK, 'adoption');
const WAIT_MS = 250;
const WAITS_MAX = 2_400; // ten minutes
const NODE_WANTED = [24, 15];
// A user's or CI's settings must not omit the tools (NODE_ENV=production) or reject the system's Node (engine-strict).
const INSTALL = ['ci', '--include=dev', '--engine-strict=false', '--no-audit', '--no-fund', '--loglevel=error'];
const STDERR_ONLY = ['ignore', 2, 2];

const wanted = createHash('sha256')
  .update(readFileSync(join(ROOT, 'package-lock.json')))
  .update(process.platform + process.arch)
  .digest('hex');
const isReady = () => existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted;
const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
const shell = process.platform === 'win32';

/** Runs `work`; false when it failed with one of `codes`, which the caller expects. */
function unless(codes, work) {
  try {
    work();
    return true;
  } catch (error) {
    if (codes.includes(error.code)) return false;
    throw error;
  }
}

/** True only when it is certain: the owner is written down, and no other process has that number. */
function isOwnerGone() {
  let pid = 0;
  if (!unless(['ENOENT'], () => (pid = Number(readFileSync(OWNER, 'utf8')))) || !(pid > 0)) return false;
  if (pid === process.pid) return true; // a number that was given away again: it cannot have been us
  return !unless(['ESRCH'], () => unless(['EPERM'], () => process.kill(pid, 0)));
}

/** Takes over the lock of a dead process. The inner folder lets one waiter at a time look and decide. */
function adoptLock() {
  if (!isOwnerGone() || !unless(['EEXIST', 'ENOENT'], () => mkdirSync(ADOPTION))) return false;
  const isOurs = isOwnerGone();
  if (isOurs) writeFileSync(OWNER, String(process.pid));
  rmdirSync(ADOPTION);
  return isOurs;
}

function takeLock() {
  for (let waits = 0; waits < WAITS_MAX; waits++) {
    if (unless(['EEXIST'], () => mkdirSync(LOCK))) {
      writeFileSync(OWNER, String(process.pid));
      return;
    }
    if (adoptLock()) return;
    pause();
  }
  throw new Error(`another set-up seems to hang; if none is running, remove ${LOCK}`);
}

/** Exit status of the installation, 0 when there was nothing to do. */
function install() {
  takeLock();
  try {
    if (isReady()) return 0; // somebody else did it while we waited
    console.error('candlekeep: installing what package-lock.json says (once)');
    const { status, error } = spawnSync('npm', INSTALL, { cwd: ROOT, stdio: STDERR_ONLY, shell });
    if (error) throw error;
    if (status === 0) writeFileSync(STAMP, wanted);
    return status ?? 1;
  } finally {
    rmSync(LOCK, { recursive: true, force: true });
  }
}

/** The Node that npm scripts will get: npm puts node_modules/.bin first on PATH. */
function nodeOnPath() {
  const PATH = [join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  return (
    spawnSync('node', ['--version'], { encoding: 'utf8', env: { ...process.env, PATH }, shell }).stdout?.trim() ?? ''
  );
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.slice(1).split('.').map(Number);
  return major > NODE_WANTED[0] || (major === NODE_WANTED[0] && minor >= NODE_WANTED[1]);
}

process.exitCode = isReady() ? 0 : install();
if (process.exitCode === 0) {
  const version = nodeOnPath();
  if (!isNewEnough(version)) {
    console.error(
      `candlekeep: Node ${NODE_WANTED.join('.')} or newer is needed, but npm scripts get ${version || 'none'}: ` +
        "the `node` package's install script did not run. Allow it: npm rebuild node --ignore-scripts=false",
    );
    process.exitCode = 1;
  }
}
