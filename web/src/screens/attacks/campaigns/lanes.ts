import type { Schemas } from '../../../api/client';
import { daysFrom } from '../days';

type Activity = Schemas['Activity'];

export type Lane = { key: string; rest: boolean; values: number[]; total: number };
export type Lanes = { labels: string[]; starts: string[]; lanes: Lane[]; days: number };

/** How many steps a timeline shows at most; days are taken together beyond. */
const most = 120;

/** lanesOf makes the lanes of a timeline: steps of one or several days, by which is how much. */
export function lanesOf(a: Activity): Lanes {
  const all = daysFrom(a.first, a.days);
  const days = Math.max(1, Math.ceil(all.length / most));
  const n = Math.ceil(all.length / days);
  const starts = Array.from({ length: n }, (_, i) => all[i * days]!);
  const lanes = a.lines.map((l) => {
    const values = Array.from({ length: n }, () => 0);
    l.requests.forEach((v, i) => (values[Math.floor(i / days)]! += v));
    return { key: l.key, rest: l.rest, values, total: values.reduce((x, y) => x + y, 0) };
  });
  return { starts, labels: starts, lanes, days };
}

/** periodOf gives the first and the last day of a stretch of steps. */
export function periodOf(l: Lanes, from: number, to: number): { first: string; last: string } | undefined {
  const i = Math.max(0, Math.min(l.starts.length - 1, Math.round(from)));
  const j = Math.max(i, Math.min(l.starts.length - 1, Math.round(to)));
  const first = l.starts[i];
  const lastStart = l.starts[j];
  if (!first || !lastStart) return undefined;
  const last = new Date(Date.parse(`${lastStart}T00:00:00Z`) + (l.days - 1) * 86_400_000).toISOString().slice(0, 10);
  return { first, last };
}

/** stepAt gives the step in which a day lies, -1 for none. */
export function stepAt(l: Lanes, day: string): number {
  const first = l.starts[0];
  if (!first) return -1;
  const i = Math.floor((Date.parse(day) - Date.parse(first)) / 86_400_000 / l.days);
  return i >= 0 && i < l.starts.length ? i : -1;
}
