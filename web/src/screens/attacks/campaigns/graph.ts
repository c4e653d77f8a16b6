import type { Schemas } from '../../../api/client';

type Link = Schemas['Campaign']['links'][number];

export type Node = { id: string; kind: 'attack' | 'trait'; x: number; y: number; size: number };
export type Edge = { source: string; target: string };

/** How many attacks a graph shows; the table has them all. */
export const mostAttacks = 120;

/**
 * place puts shared traits on an inner ring and attacks on an outer one, those
 * that share the same traits beside each other; wider than high, as the frame is. The same campaign always looks
 * the same.
 */
export function place(attacks: readonly string[], links: readonly Link[]): { nodes: Node[]; edges: Edge[] } {
  const shown = attacks.slice(-mostAttacks);
  const has = (id: string) => links.map((l) => (l.attacks.includes(id) ? '1' : '0')).join('');
  const order = [...shown].sort((a, b) => (has(a) === has(b) ? 0 : has(a) > has(b) ? -1 : 1));
  const ring = (i: number, n: number, r: number) => {
    const at = (2 * Math.PI * i) / Math.max(1, n) - Math.PI / 2;
    return { x: Math.round(2.4 * r * Math.cos(at) * 10) / 10, y: Math.round(r * Math.sin(at) * 10) / 10 };
  };
  const nodes: Node[] = [
    ...links.map((l, i) => ({ id: `trait ${i}`, kind: 'trait' as const, ...ring(i, links.length, links.length > 1 ? 90 : 0), size: 14 + Math.min(16, l.rarity) })),
    ...order.map((id, i) => ({ id, kind: 'attack' as const, ...ring(i, order.length, 230), size: 12 })),
  ];
  const edges = links.flatMap((l, i) => l.attacks.filter((id) => shown.includes(id)).map((id) => ({ source: `trait ${i}`, target: id })));
  return { nodes, edges };
}
