// Compiles src/ to dist/: what the published package runs, because Node strips no types under node_modules.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(ROOT, 'dist');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
// An import of a .ts file, which TypeScript should have rewritten. In the published package it would fail.
const SOURCE_IMPORT =
  /^\s*(?:import|export)\b[^'"]*['"]\.{1,2}\/[^'"]*\.ts['"]|\bimport\(\s*['"]\.{1,2}\/[^'"]*\.ts['"]/m;

rmSync(DIST, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [TSC, '-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const scripts = readdirSync(DIST, { recursive: true }).filter((name) => name.endsWith('.js'));
const broken = scripts.filter((name) => SOURCE_IMPORT.test(readFileSync(join(DIST, name), 'utf8')));
if (scripts.length === 0 || broken.length > 0) {
  console.error(
    scripts.length === 0 ? 'the build made no file' : `these files still import TypeScript: ${broken.join(', ')}`,
  );
  process.exitCode = 1;
}
