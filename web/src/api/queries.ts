import { QueryClient } from '@tanstack/react-query';
import { Trouble } from './client';

/** makeQueries gives a cache: what can pass by itself is tried again, the rest is shown. */
export const makeQueries = () =>
  new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: true,
        retry: (failures, error) => {
          if (!(error instanceof Trouble)) return false;
          const passing = error.status === 0 || error.status === 429 || error.status === 502 || error.status === 503;
          return passing && failures < 3;
        },
        retryDelay: (attempt, error) => {
          const wait = error instanceof Trouble ? error.wait : undefined;
          return Math.min(wait ? wait * 1000 : 500 * 2 ** attempt, 15_000);
        },
      },
      mutations: { retry: false },
    },
  });
