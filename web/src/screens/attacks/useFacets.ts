import { useQueries } from '@tanstack/react-query';
import { api, client, type Schemas } from '../../api/client';
import type { Facet } from '../../parts/FilterBar';
import { useName, useText } from '../../text/text';
import { inert } from '../../text/inert';
import { text } from './text';
import type { AttackQuery } from './useAttackQuery';
import { kinds, scenarios, verdicts } from './words';

type Group = Schemas['Count'];

/** sum adds up what groups have under a name. */
export function sum(groups: readonly Group[], of: 'type' | 'state' | 'site'): Map<string, number> {
  const out = new Map<string, number>();
  for (const g of groups) out.set(g[of], (out.get(g[of]) ?? 0) + g.count);
  return out;
}

/**
 * useFacets gives what attacks can be narrowed down by. How many each value
 * would leave is counted under all filters but its own.
 */
export function useFacets(query: AttackQuery): Facet[] {
  const t = useText(text);
  const name = useName();
  const { kind, scenario, verdict, site } = query;
  const count = (change: Partial<AttackQuery>) => ({ params: { query: { ...query, ...change } } });
  const byKind = api.useQuery('get', '/api/v1/counts/attacks', count({ kind: undefined }));
  const byVerdict = api.useQuery('get', '/api/v1/counts/attacks', count({ verdict: undefined }));
  const bySite = api.useQuery('get', '/api/v1/counts/attacks', count({ site: undefined }));
  const byScenario = useQueries({
    queries: scenarios.map((s) => ({
      queryKey: ['get', '/api/v1/counts/attacks', 'scenario', s, query],
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await client.GET('/api/v1/counts/attacks', { ...count({ scenario: [s] }), signal })).data!.total,
    })),
  });
  const choices = (values: readonly string[], counts: Map<string, number> | undefined, chosen: readonly string[] | undefined, label: (v: string) => string) =>
    values
      .map((value) => ({ value, label: label(value), count: counts?.get(value) ?? (counts ? 0 : undefined) }))
      .filter((c) => c.count !== 0 || chosen?.includes(c.value))
      .sort((a, b) => (b.count ?? 0) - (a.count ?? 0));
  const of = (groups: readonly Group[] | undefined, by: 'type' | 'state' | 'site') => (groups ? sum(groups, by) : undefined);
  const counted = byScenario.every((q) => q.data !== undefined) ? new Map(scenarios.map((s, i) => [s as string, byScenario[i]!.data!])) : undefined;
  const sites = of(bySite.data?.groups, 'site');
  return [
    { name: 'kind', label: t('kind'), multiple: true, choices: choices(kinds, of(byKind.data?.groups, 'type'), kind, (v) => name('attack_kind', v)) },
    { name: 'scenario', label: t('scenario'), multiple: true, choices: choices(scenarios, counted, scenario, (v) => name('scenario', v)) },
    { name: 'verdict', label: t('verdict'), multiple: true, choices: choices(verdicts, of(byVerdict.data?.groups, 'state'), verdict, (v) => name('verdict', v)) },
    { name: 'site', label: t('site'), choices: choices(sites ? [...sites.keys()] : [], sites, site ? [site] : undefined, (v) => inert(v)) },
  ];
}
