import { Segmented, Select, Skeleton } from 'antd';
import { useState } from 'react';
import { api } from '../../../api/client';
import { Bars } from '../../../charts/Bars';
import { Chip, type EntityKind } from '../../../parts/Chip';
import { ApiChip, AttackChip } from '../../../parts/Known';
import { TroubleView } from '../../../parts/TroubleView';
import { useUrl } from '../../../parts/url';
import { useFormat } from '../../../parts/useFormat';
import { useText } from '../../../text/text';
import { text } from '../text';
import type { RowQuery } from './query';

export const dimensions = ['client', 'api', 'account', 'actor', 'agent', 'session', 'network', 'country', 'site', 'attack', 'type'] as const;
export type TopDimension = (typeof dimensions)[number];

type Measure = 'rows' | 'subjects' | 'bytes_out';

/** TopSide tells what most of the requests have in common, in one dimension at a time. */
export function TopSide({ query, chips }: { query: RowQuery; chips?: boolean }) {
  const t = useText(text);
  const url = useUrl();
  const by = dimensions.find((d) => d === url.get('by')) ?? 'client';
  const [measure, setMeasure] = useState<Measure>('rows');
  const label = (d: TopDimension) => (d === 'type' ? t('types') : t(d));
  return (
    <aside className="card atk-requests-side" aria-label={t('top')}>
      <Select aria-label={t('top')} value={by} onChange={(d) => url.set({ by: d === 'client' ? null : d })} style={{ width: '100%' }} options={dimensions.map((d) => ({ value: d, label: `${t('top')} ${label(d)}` }))} />
      <Segmented<Measure>
        size="small"
        aria-label={t('measure')}
        style={{ margin: '8px 0' }}
        value={measure}
        onChange={setMeasure}
        options={[
          { value: 'rows', label: t('measureRows') },
          { value: 'subjects', label: t('measurePeople') },
          { value: 'bytes_out', label: t('measureOut') },
        ]}
      />
      <TopList query={query} of={by} measure={measure} limit={15} chips={chips} />
    </aside>
  );
}

/** TopList is the largest of one dimension. */
export function TopList({ query, of, measure = 'rows', limit = 8, chips }: { query: RowQuery; of: TopDimension; measure?: Measure; limit?: number; chips?: boolean }) {
  const t = useText(text);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/observations/top', { params: { query: { ...query, of, measure, limit } } }, { placeholderData: (before) => before, retry: false });
  if (q.error && !q.data) return <TroubleView small error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active title={false} />;
  if (q.data.items.length === 0) return <p className="atk-sub">{t('topNone')}</p>;
  return (
    <Bars
      rows={q.data.items.map((x) => ({
        key: x.key,
        label: <Entity kind={of} value={x.key} chips={chips} />,
        value: x.value,
        text: measure === 'bytes_out' ? f.bytes(x.value) : f.number(x.value),
      }))}
    />
  );
}

/** Entity is a value of a dimension as a chip, by its name where it has one. */
export function Entity({ kind, value, chips }: { kind: EntityKind; value: string; chips?: boolean }) {
  const narrowing = chips ? { filter: kind, exclude: `not.${kind}` } : {};
  switch (kind) {
    case 'api':
      return <ApiChip id={value} {...narrowing} />;
    case 'attack':
      return <AttackChip id={value} {...narrowing} />;
    case 'account':
    case 'actor':
    case 'session':
    case 'agent':
      return <Chip kind={kind} value={value} label={value.slice(0, 12)} {...narrowing} />;
  }
  return <Chip kind={kind} value={value} {...narrowing} />;
}
