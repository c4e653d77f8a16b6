import { useMemo } from 'react';
import { api } from '../../api/client';
import { useSession } from '../../api/session';

/** useUserNames gives names by id to those who may list users, and nothing to others. */
export function useUserNames(): Readonly<Record<string, string>> {
  const { me, may } = useSession();
  const q = api.useQuery('get', '/api/v1/users', {}, { enabled: may('administrator'), staleTime: 60_000 });
  return useMemo(() => ({ [me.id]: me.name, ...Object.fromEntries((q.data?.items ?? []).map((u) => [u.id, u.name])) }), [q.data, me]);
}
