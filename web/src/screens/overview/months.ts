/** A month with its number, and the means of its quarter and year over the months that are over or under way. */
export type Month = { month: string; n: number; quarter: number; year: number };

const next = (m: string) => {
  const [y, mo] = m.split('-').map(Number) as [number, number];
  return mo === 12 ? `${y + 1}-01` : `${y}-${String(mo + 1).padStart(2, '0')}`;
};

export const quarterOf = (m: string) => `${m.slice(0, 4)}Q${Math.ceil(Number(m.slice(5, 7)) / 3)}`;

/** monthsOf fills the months between the first and the last, and gives the means as the report does: over the months shown. */
export function monthsOf(counted: readonly { month: string; apis: number }[], last: string): Month[] {
  if (counted.length === 0) return [];
  const by = new Map(counted.map((c) => [c.month, c.apis]));
  const all: string[] = [];
  const end = last > counted.at(-1)!.month ? last : counted.at(-1)!.month;
  for (let m = counted[0]!.month; m <= end && all.length < 1200; m = next(m)) all.push(m);
  const mean = (of: (m: string) => string) => {
    const sums = new Map<string, [number, number]>();
    for (const m of all) {
      const [sum, n] = sums.get(of(m)) ?? [0, 0];
      sums.set(of(m), [sum + (by.get(m) ?? 0), n + 1]);
    }
    return (m: string) => {
      const [sum, n] = sums.get(of(m))!;
      return sum / n;
    };
  };
  const quarter = mean(quarterOf);
  const year = mean((m) => m.slice(0, 4));
  return all.map((month) => ({ month, n: by.get(month) ?? 0, quarter: quarter(month), year: year(month) }));
}
