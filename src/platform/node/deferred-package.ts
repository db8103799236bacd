import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/**
 * The packages that a process loads when it uses them for the first time, in calls that cannot wait for `import()`.
 * Each costs every command some tens of milliseconds at its start, and most commands need none of them.
 */
export const deferredPackage = {
  pino: () => require('pino') as typeof import('pino'),
  openTelemetry: () => require('@opentelemetry/api') as typeof import('@opentelemetry/api'),
};
