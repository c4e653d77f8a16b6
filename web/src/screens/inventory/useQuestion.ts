import { useMemo } from 'react';
import { useUrl, type Span } from '../../parts/url';
import { filterOf, viewOf } from './views';

export type Question = {
  site?: string; text?: string; path?: string; from?: string; to?: string; first_from?: string; first_to?: string;
  role?: string[]; lifecycle?: string[]; auth?: string; exposure?: string; method?: string; data?: string; changed?: boolean; sensitive?: boolean;
};

/** Facets of the filter bar, by the names of their parameters. */
export const facetNames = ['lifecycle', 'role', 'auth', 'exposure', 'method', 'data'] as const;

/**
 * useQuestion gives what the URL asks the list for: base is what holds for all
 * views, whole is with the view and the facets.
 */
export function useQuestion(span: Span): { base: Question; whole: Question; bare: boolean } {
  const url = useUrl();
  return useMemo(() => {
    const many = (name: string) => (url.all(name).length ? url.all(name) : undefined);
    const base: Question = {
      site: url.get('site'), text: url.get('q'), path: url.get('path'), from: span.from, to: span.to,
      first_from: url.get('first_from'), first_to: url.get('first_to'), // as the overview counts a period
    };
    const whole: Question = {
      ...base,
      role: many('role'), lifecycle: many('lifecycle'), auth: url.get('auth'), exposure: url.get('exposure'), method: url.get('method'), data: url.get('data'),
      ...filterOf[viewOf(url.get('view'))],
    };
    const bare = Object.entries(whole).every(([k, v]) => v === undefined || k === 'from' || k === 'to');
    return { base, whole, bare };
  }, [url, span]);
}
