import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The server puts a fresh nonce where XIEZHI_NONCE stands. Nothing is inlined:
// the policy lets only files of the same origin run.
export default defineConfig({
  plugins: [react()],
  html: { cspNonce: 'XIEZHI_NONCE' },
  build: {
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2000,
    sourcemap: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8650', '/login': 'http://127.0.0.1:8650', '/setup': 'http://127.0.0.1:8650' } },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'] },
});
