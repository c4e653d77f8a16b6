const length = 86_400_000;

/** daysFrom names n days from the first on. */
export function daysFrom(first: string | undefined, n: number): string[] {
  if (!first) return [];
  const at = Date.parse(`${first}T00:00:00Z`);
  return Array.from({ length: n }, (_, i) => new Date(at + i * length).toISOString().slice(0, 10));
}

export const dayAfter = (day: string): string => new Date(Date.parse(`${day}T00:00:00Z`) + length).toISOString().slice(0, 10);

/**
 * daysShown adds the days of a period on which nothing was, so that a chart of
 * it has them all. pick puts values of the given days in their places.
 */
export function daysShown(days: readonly string[], from?: string, to?: string): { days: string[]; pick: (values: readonly number[]) => number[] } {
  const first = days[0];
  const last = days.at(-1);
  if (!first || !last) return { days: [], pick: () => [] };
  const day = (s: string | undefined, other: string) => {
    const at = s ? Date.parse(s) : NaN;
    return Number.isNaN(at) ? other : new Date(at).toISOString().slice(0, 10);
  };
  const begin = from && day(from, first) < first ? day(from, first) : first;
  const end = to && day(to, last) > last ? day(to, last) : last;
  const n = Math.min(800, Math.round((Date.parse(end) - Date.parse(begin)) / length) + 1);
  const skip = Math.round((Date.parse(first) - Date.parse(begin)) / length);
  return {
    days: daysFrom(begin, n),
    pick: (values) => Array.from({ length: n }, (_, i) => values[i - skip] ?? 0),
  };
}
