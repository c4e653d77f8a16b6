/** Stretches of time that a report can be about, as the API writes them: 2026-10, 2026-Q4, 2026. */
export type Kind = 'month' | 'quarter' | 'year' | 'range' | 'all';

export type Stretch = { kind: Kind; period?: string; from?: string; to?: string };

const month = /^\d{4}-(0[1-9]|1[0-2])$/;
const quarter = /^\d{4}-Q[1-4]$/;
const year = /^\d{4}$/;

export function kindOf(period: string): Kind | undefined {
  return month.test(period) ? 'month' : quarter.test(period) ? 'quarter' : year.test(period) ? 'year' : undefined;
}

/** stretchOf reads what a URL asks for; a month where it asks for nothing that can be read. */
export function stretchOf(get: (name: string) => string | undefined, thisMonth: string): Stretch {
  const from = get('from');
  const to = get('to');
  const period = get('period');
  if (period === 'all') return { kind: 'all' };
  const kind = period && kindOf(period);
  if (kind) return { kind, period };
  if (from || to) return { kind: 'range', from, to };
  return { kind: 'month', period: thisMonth };
}

/** step gives the stretch so many before or after one. */
export function step(period: string, by: number): string {
  const y = Number(period.slice(0, 4));
  switch (kindOf(period)) {
    case 'month': {
      const n = y * 12 + Number(period.slice(5)) - 1 + by;
      return `${String(Math.floor(n / 12)).padStart(4, '0')}-${String((n % 12) + 1).padStart(2, '0')}`;
    }
    case 'quarter': {
      const n = y * 4 + Number(period.slice(6)) - 1 + by;
      return `${String(Math.floor(n / 4)).padStart(4, '0')}-Q${(n % 4) + 1}`;
    }
    default:
      return String(y + by).padStart(4, '0');
  }
}

/** as gives the stretch of another kind in which a month lies. */
export function as(kind: 'month' | 'quarter' | 'year', m: string): string {
  if (kind === 'month') return m;
  return kind === 'year' ? m.slice(0, 4) : `${m.slice(0, 4)}-Q${Math.ceil(Number(m.slice(5, 7)) / 3)}`;
}

/** firstMonth is the first month of a stretch. */
export function firstMonth(period: string): string {
  switch (kindOf(period)) {
    case 'quarter':
      return `${period.slice(0, 4)}-${String(Number(period.slice(6)) * 3 - 2).padStart(2, '0')}`;
    case 'year':
      return `${period}-01`;
    default:
      return period;
  }
}

/** over tells whether a stretch has ended in a month. */
export const over = (period: string, thisMonth: string): boolean => firstMonth(step(period, 1)) <= thisMonth;
