import { useQuery } from '@tanstack/react-query';
import { client, type Schemas } from '../../api/client';

export type Brief = Pick<Schemas['API'], 'id' | 'site' | 'host' | 'method' | 'template' | 'title'>;

/** useBrief gives what an API is called; it changes seldom, so events do not have it read again. */
export function useBrief(id: string | undefined): Brief | undefined {
  return useQuery({
    queryKey: ['name', 'api-brief', id],
    queryFn: async ({ signal }) => {
      const { data } = await client.GET('/api/v1/apis/{id}', { params: { path: { id: id! } }, signal });
      const { site, host, method, template, title } = data!;
      return { id: id!, site, host, method, template, title };
    },
    enabled: Boolean(id),
    staleTime: 5 * 60_000,
    gcTime: 30 * 60_000,
    retry: false,
  }).data;
}
