import type { Schemas } from '../../../api/client';

type Field = Schemas['Contract']['requests'][number]['fields'][number];

/** A place in a body: a field that was seen, or what only leads to some. */
export type Node = { key: string; label: string; field?: Field; children?: Node[] };

/** steps cuts a path: a.b[].c{} is a, b, [], c, {}. */
export function steps(path: string): string[] {
  return path.split('.').flatMap((p) => {
    const m = /^(.*?)((?:\[\]|\{\})*)$/.exec(p)!;
    const marks = m[2]!.match(/\[\]|\{\}/g) ?? [];
    return m[1] ? [m[1], ...marks] : marks;
  });
}

/** fieldTree puts the fields of a body under what they are part of. */
export function fieldTree(fields: readonly Field[]): Node[] {
  type Step = { field?: Field; next: Map<string, Step> };
  const root: Step = { next: new Map() };
  for (const f of fields) {
    let at = root;
    for (const s of steps(f.path)) {
      let next = at.next.get(s);
      if (!next) at.next.set(s, (next = { next: new Map() }));
      at = next;
    }
    at.field = f;
  }
  const list = (at: Step, before: string): Node[] =>
    [...at.next].map(([label, step]) => {
      const key = `${before}/${label}`;
      const children = list(step, key);
      return { key, label, field: step.field, ...(children.length ? { children } : {}) };
    });
  return list(root, '');
}
