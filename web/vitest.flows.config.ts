import { defineConfig } from 'vitest/config';

// Flows of people through the console, one file after the other against one
// running service: what one flow decides, another may see.
export default defineConfig({
  test: {
    environment: 'node',
    include: ['e2e/**/*.flow.ts'],
    // Names that do harm, an API that fails, very many APIs: ten minutes more.
    exclude: process.env.FLOWS === 'short' ? ['e2e/hostile.flow.ts'] : [],
    globalSetup: ['e2e/service.ts'],
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 120_000,
    hookTimeout: 240_000,
    reporters: ['verbose'],
  },
});
