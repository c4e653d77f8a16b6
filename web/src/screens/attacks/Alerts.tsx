import { Button, Grid, type TableProps } from 'antd';
import { client, type Schemas } from '../../api/client';
import { ApiChip, DefectChip } from '../../parts/Known';
import { Chip } from '../../parts/Chip';
import { DataTable } from '../../parts/DataTable';
import { FilterBar } from '../../parts/FilterBar';
import { Sentence } from '../../parts/Sentence';
import { Verdict } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { useUrl } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { usePaged } from '../../parts/usePaged';
import { Amount, When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { AlertTrend } from './AlertTrend';
import { Going } from './Going';
import { text } from './text';
import { standard, useAttackQuery } from './useAttackQuery';
import { useFacets } from './useFacets';

type Attack = Schemas['Attack'];

const sorts = ['last_seen', 'first_seen', 'requests', 'subjects_exposed', 'confidence'] as const;
type Sort = (typeof sorts)[number];

export default function Alerts() {
  const t = useText(text);
  const url = useUrl();
  const open = useOpen();
  const wide = Grid.useBreakpoint().md ?? true;
  const query = useAttackQuery();
  const facets = useFacets(query);
  const sort = sorts.find((s) => s === url.get('sort')) ?? 'last_seen';
  const order = url.get('order') === 'asc' ? 'asc' : 'desc';
  const asked = { ...query, sort, order } as const;
  const paged = usePaged<Attack>('/api/v1/attacks', asked, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/attacks', { params: { query: { ...asked, cursor, limit: 100 } }, signal });
    return data!;
  });
  const wideColumns = useColumns(sort, order);
  const columns: TableProps<Attack>['columns'] = wide ? wideColumns : [{ key: 'attack', title: t('alerts'), render: (_, a) => <Short of={a} /> }];
  return (
    <>
      <FilterBar
        standard={standard}
        sites={false}
        search={t('search')}
        facets={facets}
        chips={[
          { name: 'api', label: t('api') },
          { name: 'defect', label: t('defect') },
          { name: 'first_from', label: t('firstFrom') },
          { name: 'first_to', label: t('firstTo') },
        ]}
      />
      <AlertTrend query={query} />
      <DataTable
        label={t('alerts')}
        paged={paged}
        columns={columns}
        rowKey={(a) => a.id}
        open={(a) => open('attack', a.id)}
        sort={(column, o) => url.set({ sort: column && column !== 'last_seen' ? column : null, order: o === 'asc' ? 'asc' : null })}
        empty={
          <Teach title={t('none')}>
            <p>{t('noneDo')}</p>
            {url.get('range') !== 'all' && <Button onClick={() => url.set({ range: 'all', from: null, to: null })}>{t('everything')}</Button>}
          </Teach>
        }
      />
    </>
  );
}

function useColumns(sort: Sort, order: 'asc' | 'desc'): TableProps<Attack>['columns'] {
  const t = useText(text);
  const f = useFormat();
  const sorted = (key: Sort) => ({ key, sorter: true, sortOrder: sort === key ? (order === 'asc' ? ('ascend' as const) : ('descend' as const)) : null, sortDirections: ['descend', 'ascend'] as ('descend' | 'ascend')[] });
  return [
    { ...sorted('confidence'), title: t('kind'), width: 150, fixed: 'left', render: (_, a) => <What of={a} /> },
    { key: 'reason', title: t('reason'), width: 350, render: (_, a) => <span className="atk-clamp"><Sentence of={a.reason} /></span> },
    {
      key: 'site', title: t('target'), width: 200, ellipsis: true,
      render: (_, a) => (
        <span className="atk-cell-main">
          <Chip kind="site" value={a.site} filter="site" />
          <Apis ids={a.apis} />
        </span>
      ),
    },
    {
      ...sorted('last_seen'), title: t('last'), width: 138,
      render: (_, a) => (
        <span className="atk-cell-main">
          <When at={a.last_seen} />
          <Going first={a.first_seen} last={a.last_seen} quiet />
        </span>
      ),
    },
    { ...sorted('requests'), title: t('nRequests'), width: 88, align: 'right', render: (_, a) => <Amount n={a.requests} /> },
    { key: 'succeeded', title: t('succeeded'), width: 72, align: 'right', render: (_, a) => <Amount n={a.succeeded} /> },
    { key: 'blocked', title: t('blocked'), width: 76, align: 'right', render: (_, a) => <Amount n={a.blocked} /> },
    { ...sorted('subjects_exposed'), title: t('people'), width: 94, align: 'right', render: (_, a) => <Amount n={a.subjects_exposed} /> },
    { key: 'ips', title: t('addresses'), width: 84, align: 'right', render: (_, a) => <Amount n={a.actors.ip_count} /> },
    {
      ...sorted('first_seen'), title: t('began'), width: 150,
      render: (_, a) => (
        <span className="atk-cell-main">
          <When at={a.first_seen} />
          <span className="atk-sub">{t('lasted', { t: f.duration(Date.parse(a.last_seen) - Date.parse(a.first_seen)) })}</span>
        </span>
      ),
    },
    { key: 'through', title: t('through'), width: 250, ellipsis: true, render: (_, a) => <Defects ids={a.through} /> },
  ];
}

function What({ of: a }: { of: Attack }) {
  const name = useName();
  return (
    <span className="atk-cell-main">
      <strong>{name('attack_kind', a.kind)}</strong>
      <span className="atk-state-line">
        <Verdict verdict={a.verdict} />
        <span className="atk-sub">{name('scenario', a.scenario)}</span>
      </span>
    </span>
  );
}

/** Apis names the first API and says how many more there are. */
export function Apis({ ids }: { ids: readonly string[] }) {
  const t = useText(text);
  const first = ids[0];
  if (!first) return null;
  return (
    <span className="atk-chips">
      <ApiChip id={first} filter="api" />
      {ids.length > 1 && <span className="atk-sub">{t('more', { n: ids.length - 1 })}</span>}
    </span>
  );
}

function Defects({ ids }: { ids: readonly string[] }) {
  const t = useText(text);
  const first = ids[0];
  if (!first) return <span className="none">–</span>;
  return (
    <span className="atk-chips">
      <DefectChip id={first} filter="defect" />
      {ids.length > 1 && <span className="atk-sub">{t('more', { n: ids.length - 1 })}</span>}
    </span>
  );
}

/** Short is a row on a narrow screen. */
function Short({ of: a }: { of: Attack }) {
  const t = useText(text);
  const name = useName();
  return (
    <span className="atk-cell-main">
      <span className="atk-state-line">
        <strong>{name('attack_kind', a.kind)}</strong>
        <Verdict verdict={a.verdict} />
        <Going first={a.first_seen} last={a.last_seen} quiet />
      </span>
      <Sentence of={a.reason} />
      <span className="atk-sub">
        {t('nRequests')} <Amount n={a.requests} /> · {t('succeeded')} <Amount n={a.succeeded} /> · {t('people')} <Amount n={a.subjects_exposed} /> · <When at={a.last_seen} />
      </span>
    </span>
  );
}
