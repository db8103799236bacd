import { defineConfig } from 'vitest/config';

// The tests that have to notice a mutant: those of the pure deciders themselves, not what happens to run through them.
export default defineConfig({
  test: {
    include: [
      'src/{domain,errors,lake/quality}/**/*.test.ts',
      'src/resilience/{retry,breaker,rate-limit}/*.test.ts',
      'src/engine/{plan,recovery}/*.test.ts',
    ],
    exclude: ['**/executor.test.ts', '**/concurrency-limit.test.ts', '**/exchange-clock.test.ts'],
  },
});
