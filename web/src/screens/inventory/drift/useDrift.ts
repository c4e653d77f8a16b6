import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { client, type Schemas } from '../../../api/client';

/** What came of a comparison, for as long as the page is open. */
export type Compared = { site: string; file: string; result: Schemas['Drift'] };

const place = ['drift'] as const;

/** useDrift gives the comparisons that were made, and makes one. */
export function useDrift() {
  const queries = useQueryClient();
  const { data } = useQuery<Record<string, Compared>>({ queryKey: place, queryFn: () => ({}), staleTime: Infinity, gcTime: Infinity });
  const compare = useCallback(
    async (site: string, name: string, document: string) => {
      const answer = await client.POST('/api/v1/sites/{site}/drift', { params: { path: { site } }, body: { name, document } });
      const one: Compared = { site, file: name, result: answer.data! };
      queries.setQueryData<Record<string, Compared>>(place, (before) => ({ ...before, [site]: one }));
      return one;
    },
    [queries],
  );
  return { compared: data ?? {}, compare };
}
