#!/usr/bin/env node
// Starts Candlekeep on a Node that can run it: this one, or the one that came with the package.
// Plain JavaScript for Node 18 and newer.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_WANTED = [24, 15];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
// The compiled program; in a clone without a build, its source.
const MAINS = ['../dist/cli/main.js', '../src/cli/main.ts'];

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > NODE_WANTED[0] || (major === NODE_WANTED[0] && minor >= NODE_WANTED[1]);
}

/** The binary of the `node` package, wherever npm put it; null without one that is new enough. */
function bundledNode() {
  const require = createRequire(import.meta.url);
  try {
    const path = require.resolve('node/package.json');
    const binary = join(dirname(path), 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
    return isNewEnough(require(path).version) && existsSync(binary) ? binary : null;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** Runs this file again with `binary`, as if it had been asked in the first place: same streams, signals and exit. */
async function restartWith(binary) {
  // Loaded here: every start that needs no other Node would pay for it.
  const { spawn } = await import('node:child_process');
  const child = spawn(binary, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of SIGNALS) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => refuse(`cannot start ${binary}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function refuse(sentence) {
  console.error(`candlekeep: ${sentence}`);
  process.exitCode = 2;
}

async function start() {
  if (!isNewEnough(process.versions.node)) {
    const binary = bundledNode();
    if (binary) await restartWith(binary);
    else
      refuse(
        `Node ${NODE_WANTED.join('.')} or newer is needed, this is ${process.version}, and the \`node\` package ` +
          'beside it is missing or its install script did not run (npm rebuild node --ignore-scripts=false).',
      );
    return;
  }
  const main = MAINS.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  if (main) await import(main.href);
  else refuse('this copy has no program in it; in a clone run npm run build.');
}

await start();
