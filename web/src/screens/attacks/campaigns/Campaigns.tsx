import { Button, Select, Skeleton } from 'antd';
import { useQueries } from '@tanstack/react-query';
import { client, type Schemas } from '../../../api/client';
import { FilterBar } from '../../../parts/FilterBar';
import { Teach } from '../../../parts/Teach';
import { TroubleView } from '../../../parts/TroubleView';
import { useSpan, useUrl } from '../../../parts/url';
import { useFormat } from '../../../parts/useFormat';
import { usePaged } from '../../../parts/usePaged';
import { useName, useText } from '../../../text/text';
import { text } from '../text';
import { scenarios } from '../words';
import { CampaignCard } from './CampaignCard';

type Campaign = Schemas['Campaign'];

const sorts = { last_seen: 'byLast', first_seen: 'byFirst', requests: 'byRequests', subjects_exposed: 'byPeople' } as const;
type Sort = keyof typeof sorts;

export default function Campaigns() {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const url = useUrl();
  const { from, to } = useSpan('all');
  const asked = url.get('sort') ?? '';
  const sort: Sort = asked in sorts ? (asked as Sort) : 'last_seen';
  const scenario = url.all('scenario').filter((s) => (scenarios as readonly string[]).includes(s));
  const query = {
    site: url.get('site'), text: url.get('q'), from, to, first_from: url.get('first_from'), first_to: url.get('first_to'),
    attack: url.get('attack'), scenario: scenario.length > 0 ? scenario : undefined,
  };
  const paged = usePaged<Campaign>('/api/v1/campaigns', { ...query, sort }, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/campaigns', { params: { query: { ...query, sort, cursor, limit: 20 } }, signal });
    return data!;
  });
  const counts = useQueries({
    queries: scenarios.map((s) => ({
      queryKey: ['get', '/api/v1/counts/campaigns', s, query],
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await client.GET('/api/v1/counts/campaigns', { params: { query: { ...query, scenario: [s] } }, signal })).data!.total,
    })),
  });
  const choices = scenarios
    .map((value, i) => ({ value, label: name('scenario', value), count: counts[i]!.data }))
    .filter((c) => c.count !== 0 || scenario.includes(c.value));
  return (
    <>
      <FilterBar
        standard="all"
        search={t('search')}
        facets={[{ name: 'scenario', label: t('scenario'), multiple: true, choices }]}
        chips={[
          { name: 'attack', label: t('attack') },
          { name: 'first_from', label: t('firstFrom') },
          { name: 'first_to', label: t('firstTo') },
        ]}
      />
      <div className="atk-list-bar">
        <Select<Sort> aria-label={t('sort')} value={sort} popupMatchSelectWidth={false} onChange={(s) => url.set({ sort: s === 'last_seen' ? null : s })} options={Object.entries(sorts).map(([value, id]) => ({ value: value as Sort, label: t(id) }))} />
        <span className="atk-sub" aria-live="polite">
          {paged.total !== undefined && `${t('campaigns')}: ${f.exact(paged.total)}`}
        </span>
      </div>
      {paged.error && paged.rows.length === 0 ? <TroubleView error={paged.error} retry={paged.retry} /> : null}
      {paged.loading && paged.rows.length === 0 ? <Skeleton active /> : null}
      {!paged.loading && !paged.error && paged.rows.length === 0 ? <Teach title={t('campaignsNone')}>{t('campaignsNoneDo')}</Teach> : null}
      {paged.rows.map((c) => (
        <CampaignCard key={c.id} of={c} />
      ))}
      {paged.more && (
        <Button onClick={paged.next} loading={paged.loading}>
          {t('loadMore')}
        </Button>
      )}
    </>
  );
}
