import { keepPreviousData } from '@tanstack/react-query';
import { api, type Schemas } from '../../api/client';
import { usePeriod } from '../../parts/period';
import { useUrl } from '../../parts/url';

export type Figures = Schemas['Overview'];

/** useOverview asks for what the screen shows; every is how often, in ms, where nobody touches the screen. */
export function useOverview(every: number | false) {
  const url = useUrl();
  const { from, to, offset, ready } = usePeriod('24h');
  return api.useQuery('get', '/api/v1/overview', { params: { query: { from, to, offset, site: url.get('site') } } }, {
    placeholderData: keepPreviousData,
    refetchInterval: every,
    enabled: ready,
  });
}
