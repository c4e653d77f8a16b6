import { defineConfig } from 'vitest/config';

// Flows of people through the console, one file after the other against one
// running service: what one flow decides, another may see.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['e2e/**/*.flow.ts'],
    retry: 1, // a busy machine may be late once
    globalSetup: ['e2e/service.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 240_000,
    reporters: ['verbose'],
  },
});
