import type { Figures } from './useOverview';

/** Each figure leads to the list that it counts. These are the lists' parameters. */

const to = (path: string, params: Record<string, string | readonly string[] | undefined>) => {
  const q = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    for (const v of Array.isArray(value) ? value : [value]) if (v) q.append(name, v as string);
  }
  const s = q.toString();
  return s ? `${path}?${s}` : path;
};

export type Scope = Pick<Figures, 'from' | 'to'> & { site?: string };

/** What went on in a period was seen in it or later, and first before its end. */
const during = ({ from, to: end, site }: Scope) => ({ from, first_to: end, site });

export const sure = ['likely', 'confirmed'] as const;

export const links = {
  apis: (s: Scope) => to('/inventory', during(s)),
  newApis: (s: Scope) => to('/inventory', { first_from: s.from, first_to: s.to, site: s.site }),
  records: (s: Scope) => to('/exposure', { from: s.from, to: s.to, site: s.site }),
  defects: (s: Scope) => to('/defects', { site: s.site }), // shows what is open, of all time
  campaigns: (s: Scope) => to('/attacks/campaigns', during(s)),
  attacks: (s: Scope) => to('/attacks', { ...during(s), verdict: sure }),
  scenario: (s: Scope, scenario: string) => to('/attacks', { ...during(s), verdict: sure, scenario }),
  blocked: (s: Scope) =>
    to('/attacks/requests', { from: s.from, to: s.to, site: s.site, verdict: ['suspicious', 'attack'], outcome: ['denied', 'throttled'] }),
  surge: (from: string, site?: string) => to('/attacks', { from, site, verdict: sure }),
  sources: () => '/settings/health',
  site: (site: string) => to('/', { site }),
};
