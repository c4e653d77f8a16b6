import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { client, type Schemas } from '../../api/client';
import type { Span } from '../../parts/url';
import { levels } from '../../parts/Tags';

export type Marks = {
  defects: Map<string, { count: number; worst: string }>;
  attacks: Map<string, number>;
  more: boolean; // there are more open defects than were read
  manyAttacks: boolean; // and attacks: what is counted is the latest ones
};

/** How many pages of findings are read for the marks in the list. */
const pages = 4;

/** useMarks tells which APIs have open defects and which were attacked. */
export function useMarks(site: string | undefined, span: Span): Marks {
  const open = useQuery({
    queryKey: ['marks', 'defects', site],
    queryFn: async ({ signal }) => {
      const all: Schemas['Defect'][] = [];
      let cursor: string | undefined;
      for (let i = 0; i < pages; i++) {
        const { data } = await client.GET('/api/v1/defects', { params: { query: { site, open: true, sort: 'severity', limit: 500, cursor } }, signal });
        all.push(...data!.items);
        if (!(cursor = data!.next)) break;
      }
      return { all, more: cursor !== undefined };
    },
    staleTime: 60_000,
  });
  const attacks = useQuery({
    queryKey: ['marks', 'attacks', site, span.from, span.to],
    queryFn: async ({ signal }) => {
      const all = new Map<string, number>();
      let cursor: string | undefined;
      for (let i = 0; i < pages; i++) {
        const { data } = await client.GET('/api/v1/attacks', { params: { query: { site, from: span.from, to: span.to, limit: 500, cursor } }, signal });
        for (const x of data!.items) for (const id of x.apis) all.set(id, (all.get(id) ?? 0) + 1);
        if (!(cursor = data!.next)) break;
      }
      return { all, more: cursor !== undefined };
    },
    staleTime: 60_000,
    placeholderData: (before) => before,
  });
  return useMemo(() => {
    const defects: Marks['defects'] = new Map();
    for (const d of open.data?.all ?? []) {
      const before = defects.get(d.api);
      const worse = !before || levels.indexOf(d.severity) < levels.indexOf(before.worst as (typeof levels)[number]);
      defects.set(d.api, { count: (before?.count ?? 0) + 1, worst: worse ? d.severity : before.worst });
    }
    return { defects, attacks: attacks.data?.all ?? new Map<string, number>(), more: open.data?.more ?? false, manyAttacks: attacks.data?.more ?? false };
  }, [open.data, attacks.data]);
}
