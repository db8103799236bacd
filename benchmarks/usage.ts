// Loaded before a contestant (--import): writes CPU time and peak memory at exit.
import { readFileSync, writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import type { Usage } from './processes.ts';

/** Linux's high-water mark of this process: there, `maxRSS` includes the parent before exec. Unit: bytes. */
function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1_024;
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1_024;
}

const path = process.env['BENCH_USAGE'];
if (isMainThread && path !== undefined) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    const usage: Usage = { cpuMs: (userCPUTime + systemCPUTime) / 1_000, peakBytes: peakBytes() };
    writeFileSync(path, JSON.stringify(usage));
  });
}
