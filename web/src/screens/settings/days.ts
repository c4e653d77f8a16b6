import type { Schemas } from '../../api/client';

export type Month = { month: string; rows: number; bytes: number };

/** byMonth sums days up, newest month first. */
export function byMonth(days: readonly Schemas['ObservedDay'][]): Month[] {
  const months = new Map<string, Month>();
  for (const d of days) {
    const month = d.day.slice(0, 7);
    const m = months.get(month) ?? { month, rows: 0, bytes: 0 };
    m.rows += d.rows;
    m.bytes += d.bytes;
    months.set(month, m);
  }
  return [...months.values()].sort((a, b) => b.month.localeCompare(a.month));
}
