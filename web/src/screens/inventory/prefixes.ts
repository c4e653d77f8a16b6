/** A step of the paths of a site: what they begin with, and how many do. */
export type Prefix = { path: string; label: string; count: number; below: Prefix[] };

type Step = { count: number; next: Map<string, Step> };

/** How deep the tree goes; what is further down is found by searching. */
const deepest = 4;

/**
 * prefixes makes a tree of templates. Steps that one path alone leads through
 * are drawn together; parameters and last segments are none.
 */
export function prefixes(templates: readonly string[]): Prefix[] {
  const root: Step = { count: 0, next: new Map() };
  for (const t of templates) {
    let at = root;
    const parts = t.split('#')[0]!.split('/').filter(Boolean);
    for (const p of parts.slice(0, -1)) {
      if (p.startsWith('{')) break;
      let next = at.next.get(p);
      if (!next) at.next.set(p, (next = { count: 0, next: new Map() }));
      next.count++;
      at = next;
    }
  }
  return children(root, '', 0);
}

function children(at: Step, path: string, depth: number): Prefix[] {
  if (depth === deepest) return [];
  const out: Prefix[] = [];
  for (const [name, first] of at.next) {
    let label = name;
    let step = first;
    while (step.next.size === 1) {
      const [only, next] = [...step.next][0]!;
      if (next.count !== step.count) break;
      label += `/${only}`;
      step = next;
    }
    if (step.count < 2) continue;
    const whole = `${path}/${label}`;
    out.push({ path: `${whole}/`, label: `/${label}`, count: step.count, below: children(step, whole, depth + 1) });
  }
  return out.sort((a, b) => a.label.localeCompare(b.label));
}
