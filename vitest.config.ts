import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/**/*.test.ts'],
      reporter: ['text-summary'],
      reportsDirectory: 'coverage/v8',
    },
    projects: [
      {
        test: {
          name: 'fast',
          include: [
            'src/**/*.test.ts',
            'tests/{architecture,contracts,scenarios,soak,support}/**/*.test.ts',
            'benchmarks/*.test.ts',
          ],
          // Ends a test that hangs. The longest without a limit of its own takes 20 s on a slow machine.
          testTimeout: 60_000,
        },
      },
      {
        // Real processes, kills and servers: one file at a time, so that they do not starve each other.
        test: {
          name: 'full',
          include: ['tests/{full,crash}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
