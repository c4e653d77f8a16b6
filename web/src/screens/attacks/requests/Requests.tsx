import { Grid } from 'antd';
import { useMemo } from 'react';
import { api } from '../../../api/client';
import { FilterBar } from '../../../parts/FilterBar';
import { useSpan, useUrl } from '../../../parts/url';
import { useLang, useName, useText, type Said } from '../../../text/text';
import { names } from '../../../text/names.gen';
import { text } from '../text';
import { outcomes, rowVerdicts, type Words } from '../words';
import { AddCondition } from './AddCondition';
import { anyTime, leavable, rowQuery, singles } from './query';
import { RequestSeries } from './RequestSeries';
import { RequestTable } from './RequestTable';
import { TopSide } from './TopSide';

const sensitive = Object.keys(names).filter((k) => k.startsWith('sensitive.')).map((k) => k.slice('sensitive.'.length));

/** Requests are the single ones, with everything that they can be asked by. */
export default function Requests() {
  const t = useText(text);
  const lang = useLang();
  const name = useName();
  const url = useUrl();
  const wide = Grid.useBreakpoint().lg ?? true;
  const standard = anyTime(url) ? 'all' : '24h';
  const span = useSpan(standard);
  const query = useMemo(() => rowQuery(url, span), [url, span]);
  const words = (w: Words) => Object.entries(w).map(([value, said]: [string, Said]) => ({ value, label: said[lang] }));
  return (
    <>
      <FilterBar
        standard={standard}
        search={false}
        facets={[
          { name: 'verdict', label: t('verdict'), multiple: true, choices: words(rowVerdicts) },
          { name: 'outcome', label: t('outcomeOf'), multiple: true, choices: words(outcomes) },
          { name: 'class', label: t('class'), multiple: true, choices: ['2', '3', '4', '5', '1'].map((c) => ({ value: c, label: `${c}xx` })) },
          { name: 'type', label: t('types'), multiple: true, choices: sensitive.map((s) => ({ value: s, label: name('sensitive', s) })) },
        ]}
        chips={[
          ...singles.map((s) => ({ name: s, label: t(s) })),
          { name: 'prefix', label: t('client') },
          ...leavable.map((s) => ({ name: `not.${s}`, label: `${t('not')} ${t(s)}` })),
          { name: 'not.site', label: `${t('not')} ${t('site')}` },
          { name: 'not.type', label: `${t('not')} ${t('types')}` },
        ]}
        extra={<AddCondition />}
      />
      <Period query={query} />
      <div className="atk-requests-body">
        <div>
          <RequestTable query={query} chips />
          <p className="atk-sub">{t('tokensOnly')}</p>
        </div>
        {wide && <TopSide query={query} chips />}
      </div>
    </>
  );
}

/** Period finds out which days there are where none are asked for. */
function Period({ query }: { query: ReturnType<typeof rowQuery> }) {
  const days = api.useQuery('get', '/api/v1/observations/days', {}, { staleTime: 60_000, retry: false, enabled: !query.from });
  const first = days.data?.days[0]?.day;
  const last = days.data?.days.at(-1)?.day;
  const from = query.from ?? (first ? `${first}T00:00:00Z` : undefined);
  const to = query.to ?? (last ? new Date(Date.parse(`${last}T00:00:00Z`) + 86_400_000).toISOString() : undefined);
  if (!from || !to) return null;
  return <RequestSeries query={{ ...query, from, to }} />;
}
