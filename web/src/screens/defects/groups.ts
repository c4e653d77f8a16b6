import type { Schemas } from '../../api/client';
import { levels, type Level } from '../../parts/Tags';

export type Defect = Schemas['Defect'];

/** How defects are put together. */
export type By = 'class' | 'owasp';

export type Group = { id: string; count: number; worst: Level; kinds: { id: string; count: number }[] };

const worse = (a: Level, b: Level) => (levels.indexOf(a) <= levels.indexOf(b) ? a : b);

/**
 * groupsOf puts defects together by class, or by each number of the OWASP list
 * that they carry; the worst and then the largest group comes first, a list by
 * number stays in its order.
 */
export function groupsOf(list: readonly Defect[], by: By): Group[] {
  const groups = new Map<string, { count: number; worst: Level; kinds: Map<string, number> }>();
  for (const d of list) {
    for (const id of by === 'class' ? [d.class] : d.owasp) {
      let g = groups.get(id);
      if (!g) groups.set(id, (g = { count: 0, worst: d.severity, kinds: new Map() }));
      g.count++;
      g.worst = worse(g.worst, d.severity);
      g.kinds.set(d.kind, (g.kinds.get(d.kind) ?? 0) + 1);
    }
  }
  const out = [...groups].map(([id, g]) => ({
    id, count: g.count, worst: g.worst,
    kinds: [...g.kinds].map(([kind, count]) => ({ id: kind, count })).sort((a, b) => b.count - a.count || a.id.localeCompare(b.id)),
  }));
  return by === 'owasp'
    ? out.sort((a, b) => Number.parseInt(a.id.slice(3), 10) - Number.parseInt(b.id.slice(3), 10))
    : out.sort((a, b) => levels.indexOf(a.worst) - levels.indexOf(b.worst) || b.count - a.count);
}

/** Views of the list, and what they ask for. */
export const views = ['open', 'verifying', 'fixed', 'dismissed', 'all'] as const;

export type View = (typeof views)[number];

export const statusOf: Record<View, readonly string[] | undefined> = {
  open: undefined,
  verifying: ['fix_claimed', 'verifying'],
  fixed: ['fixed', 'retired'],
  dismissed: ['accepted_risk', 'false_positive'],
  all: undefined,
};

export const viewOf = (asked: string | undefined): View => views.find((v) => v === asked) ?? 'open';

const closed = new Set(['fixed', 'retired', 'accepted_risk', 'false_positive']);

/** countOf gives how many defects a view holds. */
export function countOf(view: View, counts: Schemas['Counts'] | undefined): number | undefined {
  if (!counts) return undefined;
  if (view === 'all') return counts.total;
  const in_ = (state: string) => (view === 'open' ? !closed.has(state) : statusOf[view]!.includes(state));
  return counts.groups.filter((g) => in_(g.state)).reduce((n, g) => n + g.count, 0);
}

/** degree gives a level of an axis as the report does: 1 to 4. */
export const degree = (level: string) => 4 - Math.max(0, levels.indexOf(level as Level));
