import { useQuery } from '@tanstack/react-query';
import { client } from '../api/client';
import { useName } from '../text/text';
import { Chip } from './Chip';

/** Names of things that others mention by id; they change seldom, so events do not make them old. */
const named = { staleTime: 5 * 60_000, gcTime: 30 * 60_000, retry: false } as const;

/** useApiName gives what an API is called by those who use it; its id until that is known. */
export function useApiName(id: string | undefined): string {
  const q = useQuery({
    queryKey: ['name', 'api', id],
    queryFn: async ({ signal }) => {
      const { data } = await client.GET('/api/v1/apis/{id}', { params: { path: { id: id! } }, signal });
      return `${data!.method} ${data!.template}`;
    },
    enabled: Boolean(id),
    ...named,
  });
  return q.data ?? id ?? '';
}

export function ApiChip({ id, filter, exclude }: { id: string; filter?: string; exclude?: string }) {
  return <Chip kind="api" value={id} label={useApiName(id)} filter={filter} exclude={exclude} />;
}

export function DefectChip({ id, filter }: { id: string; filter?: string }) {
  const name = useName();
  const q = useQuery({
    queryKey: ['name', 'defect', id],
    queryFn: async ({ signal }) => (await client.GET('/api/v1/defects/{id}', { params: { path: { id } }, signal })).data!,
    ...named,
  });
  const api = useApiName(q.data?.api || undefined);
  const label = q.data ? [name('defect_kind', q.data.kind), api].filter(Boolean).join(' · ') : id;
  return <Chip kind="defect" value={id} label={label} filter={filter} />;
}

export function AttackChip({ id, filter, exclude }: { id: string; filter?: string; exclude?: string }) {
  const name = useName();
  const q = useQuery({
    queryKey: ['name', 'attack', id],
    queryFn: async ({ signal }) => {
      const { data } = await client.GET('/api/v1/attacks/{id}', { params: { path: { id } }, signal });
      return { kind: data!.kind, site: data!.site };
    },
    ...named,
  });
  return <Chip kind="attack" value={id} label={q.data ? `${name('attack_kind', q.data.kind)} · ${q.data.site}` : id} filter={filter} exclude={exclude} />;
}
