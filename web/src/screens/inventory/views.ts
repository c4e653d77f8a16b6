import type { Schemas } from '../../api/client';

/** Views of the inventory, and what they ask the server for. */
export const views = ['all', 'new', 'changed', 'shadow', 'zombie', 'open', 'sensitive'] as const;

export type View = (typeof views)[number];

export type Filter = { lifecycle?: string[]; auth?: string; changed?: boolean; sensitive?: boolean };

export const filterOf: Record<View, Filter> = {
  all: {},
  new: { lifecycle: ['new'] },
  changed: { changed: true },
  shadow: {},
  zombie: {},
  open: { auth: 'none' },
  sensitive: { sensitive: true },
};

export const viewOf = (asked: string | undefined): View => views.find((v) => v === asked) ?? 'all';

/** Kinds of drift that a view stands for. */
export const driftOf: Partial<Record<View, readonly string[]>> = {
  shadow: ['shadow'],
  zombie: ['zombie', 'deprecated_version'],
};

/** countOf gives how many APIs a view holds, as far as the counts say. */
export function countOf(view: View, counts: Schemas['Counts'] | undefined): number | undefined {
  if (!counts) return undefined;
  const tag = (name: string, value: string) => counts.tags?.find((t) => t.name === name && t.value === value)?.count ?? 0;
  switch (view) {
    case 'all':
      return counts.total;
    case 'new':
      return counts.groups.filter((g) => g.state === 'new').reduce((n, g) => n + g.count, 0);
    case 'changed':
      return tag('changed', 'true');
    case 'open':
      return tag('auth', 'none');
    case 'sensitive':
      return tag('sensitive', 'true');
    default:
      return undefined;
  }
}

/** sums adds groups up by one of their fields, the largest first. */
export function sums(counts: Schemas['Counts'] | undefined, by: 'type' | 'state' | 'site' | 'severity'): { value: string; count: number }[] {
  const all = new Map<string, number>();
  for (const g of counts?.groups ?? []) all.set(g[by], (all.get(g[by]) ?? 0) + g.count);
  return [...all].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || a.value.localeCompare(b.value));
}
