import { defineConfig } from 'vitest/config';

// Flows of people through the console, one file after the other against one
// running service: what one flow decides, another may see.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['e2e/**/*.flow.ts'],
    globalSetup: ['e2e/service.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 120_000,
    retry: process.env.CI_RETRY ? Number(process.env.CI_RETRY) : 0,
    hookTimeout: 240_000,
    reporters: ['verbose'],
  },
});
