import type { TableProps } from 'antd';
import { client } from '../../api/client';
import { DataTable } from '../../parts/DataTable';
import { FilterBar } from '../../parts/FilterBar';
import { Inert } from '../../parts/Inert';
import { Teach } from '../../parts/Teach';
import { useSpan, useUrl } from '../../parts/url';
import { usePaged } from '../../parts/usePaged';
import { When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { useText } from '../../text/text';
import type { Entry } from './decision';
import { Stage, Until, What } from './Parts';
import { text } from './text';

const kinds = ['public', 'approval', 'verdict', 'fix', 'template'] as const;
const states = ['pending', 'live', 'refused', 'ending', 'ended'] as const;

/** usePolicy reads decisions by what the URL says and what is asked for beside it. */
export function usePolicy(more: { kind?: string[]; state?: string[]; from?: string; to?: string }) {
  const url = useUrl();
  const query = { site: url.get('site'), text: url.get('q'), ...more };
  return usePaged<Entry>('/api/v1/policy', query, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/policy', { params: { query: { ...query, cursor, limit: 200 } }, signal });
    return data!;
  });
}

export function useDecisionColumns(): NonNullable<TableProps<Entry>['columns']> {
  const t = useText(text);
  return [
    { key: 'kind', title: t('kind'), width: 105, render: (_, e) => t(e.kind) },
    { key: 'what', title: t('what'), width: 300, ellipsis: true, render: (_, e) => <What entry={e} /> },
    { key: 'site', title: t('site'), width: 120, ellipsis: true, render: (_, e) => (e.site ? <Inert text={e.site} /> : <span className="soft">{t('everySite')}</span>) },
    { key: 'state', title: t('state'), width: 105, render: (_, e) => <Stage entry={e} /> },
    { key: 'reason', title: t('reason'), width: 190, ellipsis: true, render: (_, e) => <Inert text={e.reason} /> },
    { key: 'by', title: t('by'), width: 95, ellipsis: true, render: (_, e) => <Inert text={e.by_name ?? e.by} /> },
    { key: 'at', title: t('at'), width: 140, render: (_, e) => <When at={e.at} /> },
    { key: 'expires', title: t('expires'), width: 105, render: (_, e) => <Until entry={e} /> },
  ];
}

export function Decisions() {
  const t = useText(text);
  const url = useUrl();
  const open = useOpen();
  const span = useSpan('all');
  const paged = usePolicy({ kind: url.all('kind'), state: url.all('state'), from: span.from, to: span.to });
  return (
    <>
      <FilterBar
        standard="all"
        search={t('search')}
        facets={[
          { name: 'kind', label: t('kind'), multiple: true, choices: kinds.map((value) => ({ value, label: t(value) })) },
          { name: 'state', label: t('state'), multiple: true, choices: states.map((value) => ({ value, label: t(value) })) },
        ]}
      />
      <DataTable
        label={t('tabDecisions')}
        paged={paged}
        columns={useDecisionColumns()}
        rowKey={(e) => e.id}
        open={(e) => open('decision', e.id)}
        empty={<Teach title={t('noDecisions')}>{t('noDecisionsDo')}</Teach>}
      />
    </>
  );
}
