import { useMemo } from 'react';
import { useSpan, useUrl, type RangeName } from '../../parts/url';
import { kinds, scenarios, verdicts } from './words';

type Kind = (typeof kinds)[number];

export type AttackQuery = {
  site?: string;
  text?: string;
  from?: string;
  to?: string;
  first_from?: string;
  first_to?: string;
  api?: string;
  defect?: string;
  kind?: string[];
  scenario?: string[];
  verdict?: string[];
};

export const standard: RangeName = '30d';

const known = (values: readonly string[], all: readonly string[]) => {
  const out = values.filter((v) => all.includes(v));
  return out.length > 0 ? out : undefined;
};

/** useAttackQuery reads from the URL which attacks are meant. */
export function useAttackQuery(): AttackQuery {
  const url = useUrl();
  const { from, to } = useSpan(url.get('first_from') || url.get('first_to') || url.get('defect') || url.get('api') ? 'all' : standard);
  return useMemo(
    () => ({
      site: url.get('site'), text: url.get('q'), from, to,
      first_from: url.get('first_from'), first_to: url.get('first_to'),
      api: url.get('api'), defect: url.get('defect'),
      kind: known(url.all('kind'), kinds satisfies readonly Kind[]), scenario: known(url.all('scenario'), scenarios), verdict: known(url.all('verdict'), verdicts),
    }),
    [url, from, to],
  );
}
