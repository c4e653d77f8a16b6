import { useQueries, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { api, client, type Schemas } from '../../../api/client';

/** How a site differs from the descriptions that are kept of it. */
export type Compared = { site: string; files: readonly Schemas['DescriptionInfo'][]; result: Schemas['Drift'] };

/** Of so many sites it is asked at once; where there are more, one has to be chosen. */
const most = 24;

const place = (site: string) => ['drift', site] as const;

async function compared(site: string, signal?: AbortSignal): Promise<Compared | null> {
  const params = { path: { site } };
  const { data } = await client.GET('/api/v1/sites/{site}/descriptions', { params: params, signal });
  if (data!.items.length === 0) return null;
  const drift = await client.GET('/api/v1/sites/{site}/drift', { params: params, signal });
  return { site, files: data!.items, result: drift.data! };
}

/**
 * useDrift gives how sites differ from what is kept of them: of the one that is
 * asked for, or of all where that is wanted and these are few. The service compares,
 * and keeps.
 */
export function useDrift(site: string | undefined, everywhere = false) {
  const queries = useQueryClient();
  const all = api.useQuery('get', '/api/v1/sites', { params: { query: { limit: 500 } } }, { staleTime: 60_000, enabled: !site && everywhere });
  const names = site ? [site] : everywhere ? (all.data?.items ?? []).map((s) => s.site.name) : [];
  const asked = names.length <= most ? names : [];
  const found = useQueries({ queries: asked.map((s) => ({ queryKey: place(s), queryFn: ({ signal }: { signal: AbortSignal }) => compared(s, signal), staleTime: 60_000, retry: false })) });
  const keep = useCallback(
    async (site: string, name: string, document: string) => {
      await client.PUT('/api/v1/sites/{site}/descriptions', { params: { path: { site } }, body: { name, document } });
      const one = await compared(site);
      queries.setQueryData(place(site), one);
      return one!;
    },
    [queries],
  );
  const forget = useCallback(
    async (site: string, name: string) => {
      await client.DELETE('/api/v1/sites/{site}/descriptions/{name}', { params: { path: { site, name } } });
      const one = await compared(site);
      queries.setQueryData(place(site), one);
      return one;
    },
    [queries],
  );
  return {
    drift: found.flatMap((q) => (q.data ? [q.data] : [])),
    many: names.length > most,
    error: found.find((q) => q.error)?.error,
    keep,
    forget,
  };
}
