import { DownloadOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Grid, Space, Tabs, Tooltip, type TableProps } from 'antd';
import { useMemo, useState } from 'react';
import { api, client, now } from '../../api/client';
import type { operations } from '../../api/schema.gen';
import { useSession } from '../../api/session';
import { csv, save } from '../../parts/csv';
import { DataTable } from '../../parts/DataTable';
import { FilterBar, type Facet } from '../../parts/FilterBar';
import { Inert } from '../../parts/Inert';
import { PageHead } from '../../parts/PageHead';
import { Sentence } from '../../parts/Sentence';
import { DefectStatus, levels, Severity } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { describe } from '../../parts/TroubleView';
import { useSpan, useUrl } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { usePaged } from '../../parts/usePaged';
import { Amount, When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { nameOf, useName, useText } from '../../text/text';
import { FixForm } from './FixForm';
import { Groups } from './Groups';
import { countOf, degree, statusOf, viewOf, views, type Defect } from './groups';
import './style.css';
import { text } from './text';
import { useBrief } from './useBrief';
import { VerdictForm } from './VerdictForm';

/** How many defects groups are counted over, and how many one verdict can be about. */
const pages = 4;
const mostAtOnce = 100;

const sorts = { severity: 'severity', first_seen: 'first_seen', last_seen: 'last_seen' } as const;

export default function Defects() {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const url = useUrl();
  const open = useOpen();
  const { may } = useSession();
  const wide = Grid.useBreakpoint().xl ?? true;
  const span = useSpan('all');
  const view = viewOf(url.get('view'));
  const [picked, setPicked] = useState<Defect[]>([]);
  const [judging, setJudging] = useState<readonly Defect[]>();
  const [fixing, setFixing] = useState<Defect>();

  const many = (n: string) => (url.all(n).length ? url.all(n) : undefined);
  const base = { site: url.get('site'), text: url.get('q'), from: span.from, to: span.to };
  const narrowed = { ...base, severity: many('severity') };
  const inView = { ...narrowed, status: statusOf[view] ? [...statusOf[view]] : many('status'), open: view === 'open' ? true : undefined };
  const counts = api.useQuery('get', '/api/v1/counts/defects', { params: { query: narrowed } }, { placeholderData: (b) => b }).data;
  const facetCounts = api.useQuery('get', '/api/v1/counts/defects', { params: { query: inView } }, { placeholderData: (b) => b }).data;
  const all = useAll(inView);
  const people = usePeople();

  const wanted = url.get('owasp');
  const ofOwasp = useMemo(() => (wanted ? [...new Set(all.list.filter((d) => d.owasp.includes(wanted)).map((d) => d.kind))] : undefined), [wanted, all.list]);
  const sort = (url.get('sort') ?? 'severity') as keyof typeof sorts;
  const order = url.get('order') === 'asc' ? ('asc' as const) : ('desc' as const);
  const query = { ...inView, class: many('class'), kind: many('kind') ?? ofOwasp, sort: sort in sorts ? sort : 'severity', order };
  const paged = usePaged<Defect>('/api/v1/defects', query, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/defects', { params: { query: { ...query, cursor, limit: 200 } }, signal });
    return data!;
  }, !wanted || all.ready);

  const facets = useMemo((): Facet[] => {
    const sum = (by: 'severity' | 'state' | 'type') => {
      const n = new Map<string, number>();
      for (const g of facetCounts?.groups ?? []) n.set(g[by], (n.get(g[by]) ?? 0) + g.count);
      return [...n].sort((a, b) => b[1] - a[1]);
    };
    return [
      { name: 'severity', label: t('severity'), multiple: true, choices: levels.map((v) => ({ value: v, label: name('severity', v), count: sum('severity').find((x) => x[0] === v)?.[1] ?? 0 })) },
      { name: 'kind', label: t('kind'), multiple: true, choices: sum('type').map(([v, count]) => ({ value: v, count, label: name('defect_kind', v) })) },
      ...(view === 'open' || view === 'all' ? [{ name: 'status', label: t('status'), multiple: true, choices: sum('state').map(([v, count]) => ({ value: v, count, label: name('defect_status', v) })) }] : []),
    ];
  }, [facetCounts, t, name, view]);

  const columns = useMemo((): NonNullable<TableProps<Defect>['columns']> => {
    const sorted = (id: keyof typeof sorts) => ({ sorter: true, sortOrder: query.sort === id ? (order === 'asc' ? ('ascend' as const) : ('descend' as const)) : null });
    return [
      { key: 'severity', title: t('severity'), width: 98, ...sorted('severity'), render: (_, d) => <Severity level={d.severity} /> },
      { key: 'kind', title: t('kind'), width: 230, ellipsis: true, render: (_, d) => (
        <span className="defect-cell">
          <b>{name('defect_kind', d.kind)}</b>
          <span className="soft">
            <Sentence of={d.reason} />
          </span>
        </span>
      ) },
      { key: 'api', title: t('api'), width: 236, ellipsis: true, render: (_, d) => <ApiCell of={d} /> },
      { key: 'status', title: t('status'), width: 112, render: (_, d) => <DefectStatus status={d.status} /> },
      { key: 'exploited', title: t('exploited'), width: 104, render: (_, d) => (d.exploited_by.length ? <b className="plain">{t(d.exploited_by.length === 1 ? 'attack' : 'attacks', { n: f.number(d.exploited_by.length) })}</b> : <span className="none">–</span>) },
      { key: 'people', title: t('people'), width: 88, align: 'right', render: (_, d) => <Amount n={people(d) || undefined} /> },
      { key: 'rating', title: <Tooltip title={t('ratingHelp')}>{t('rating')}</Tooltip>, width: 170, render: (_, d) => <span className="mono">{`${degree(d.harm)} / ${degree(d.exploitability)} / ${degree(d.prevalence)}`}</span> },
      { key: 'first_seen', title: t('age'), width: 104, ...sorted('first_seen'), render: (_, d) => <Tooltip title={f.timeIn(d.first_seen)}>{f.duration(now() - Date.parse(d.first_seen))}</Tooltip> },
      { key: 'last_seen', title: t('last'), width: 145, ...sorted('last_seen'), render: (_, d) => <When at={d.last_seen} /> },
    ];
  }, [t, name, f, people, query.sort, order]);

  const canJudge = may('analyst') && !url.get('open');
  const actions = useMemo(
    () => (canJudge ? { v: (d: Defect) => setJudging(picked.length ? picked : [d]), f: (d: Defect) => setFixing(d) } : undefined),
    [canJudge, picked],
  );
  const fresh = (list: readonly Defect[]) => list.map((d) => paged.rows.find((r) => r.id === d.id) ?? d);
  return (
    <>
      <PageHead title={t('title')} extra={<Export rows={query} />}>
        {t('intro')}
      </PageHead>
      <FilterBar standard="all" search={t('search')} facets={facets} />
      <div className={wide ? 'inventory with-tree' : 'inventory'}>
        {wide && (
          <nav className="card tree-card" aria-label={t('group')}>
            <Groups all={all.list} partly={all.more} />
          </nav>
        )}
        <div className="inventory-list">
          <Tabs
            size="small"
            activeKey={view}
            onChange={(v) => url.set({ view: v === 'open' ? null : v, status: null })}
            aria-label={t('views')}
            items={views.map((v) => ({
              key: v,
              label: (
                <Tooltip title={t(`help.${v}`)}>
                  <span>
                    {t(v)} <span className="soft">{counts ? f.number(countOf(v, counts)!) : ''}</span>
                  </span>
                </Tooltip>
              ),
            }))}
          />
          {picked.length > 0 && (
            <Space className="bulk" role="region" aria-label={t('picked', { n: picked.length })}>
              <b>{t('picked', { n: f.exact(picked.length) })}</b>
              <Tooltip title={picked.length > mostAtOnce ? t('mostPicked', { n: mostAtOnce }) : undefined}>
                <Button type="primary" size="small" disabled={picked.length > mostAtOnce} onClick={() => setJudging(picked)}>
                  {t('judge')}
                </Button>
              </Tooltip>
              <Button size="small" onClick={() => setPicked([])}>
                {t('pickNone')}
              </Button>
            </Space>
          )}
          <DataTable<Defect>
            label={t('title')}
            paged={paged}
            columns={columns}
            rowKey={(d) => d.id}
            open={(d) => open('defect', d.id)}
            actions={actions}
            picked={picked.map((d) => d.id)}
            pick={may('analyst') ? (_, rows) => setPicked(rows.filter(Boolean)) : undefined}
            sort={(column, way) => url.set({ sort: column && column !== 'severity' ? column : null, order: way === 'asc' ? 'asc' : null })}
            extra={may('analyst') && paged.rows.length > 0 ? <span className="soft keys">{t('keyV')}</span> : undefined}
            empty={<Teach title={t(view === 'open' && !base.text && !base.site ? 'clean' : 'none')}>{t(view === 'open' && !base.text && !base.site ? 'cleanDo' : 'noneDo')}</Teach>}
          />
        </div>
      </div>
      {judging && <VerdictForm of={fresh(judging)} done={() => setPicked([])} close={() => setJudging(undefined)} />}
      {fixing && <FixForm of={fixing} close={() => setFixing(undefined)} />}
    </>
  );
}

type Query = NonNullable<operations['listDefects']['parameters']['query']>;

/** useAll reads the defects that groups are counted over. */
function useAll(query: Query): { list: readonly Defect[]; more: boolean; ready: boolean } {
  const q = useQuery({
    queryKey: ['get', '/api/v1/defects', 'groups', query],
    queryFn: async ({ signal }) => {
      const list: Defect[] = [];
      let cursor: string | undefined;
      for (let i = 0; i < pages; i++) {
        const { data } = await client.GET('/api/v1/defects', { params: { query: { ...query, sort: 'severity', limit: 500, cursor } }, signal });
        list.push(...data!.items);
        if (!(cursor = data!.next)) break;
      }
      return { list, more: cursor !== undefined };
    },
    placeholderData: (before) => before,
    staleTime: 15_000,
  });
  return { list: q.data?.list ?? none, more: q.data?.more ?? false, ready: q.data !== undefined };
}

const none: Defect[] = [];

/** usePeople gives the most people whose data one attack that exploits a defect saw. */
function usePeople(): (d: Defect) => number {
  const q = useQuery({
    queryKey: ['people of attacks'],
    queryFn: async ({ signal }) => {
      const seen = new Map<string, number>();
      let cursor: string | undefined;
      for (let i = 0; i < pages; i++) {
        const { data } = await client.GET('/api/v1/attacks', { params: { query: { sort: 'subjects_exposed', limit: 500, cursor } }, signal });
        for (const a of data!.items) seen.set(a.id, a.subjects_exposed);
        if (!(cursor = data!.next) || data!.items.at(-1)?.subjects_exposed === 0) break;
      }
      return seen;
    },
    staleTime: 60_000,
  });
  return useMemo(() => (d) => d.exploited_by.reduce((n, id) => Math.max(n, q.data?.get(id) ?? 0), 0), [q.data]);
}

function ApiCell({ of }: { of: Defect }) {
  const t = useText(text);
  const brief = useBrief(of.api || undefined);
  if (!of.api) return <Inert text={of.component || t('whole')} />;
  return (
    <span className="defect-cell">
      <Inert code text={brief ? `${brief.method} ${brief.template}` : of.api} />
      <span className="soft">{brief && <Inert text={brief.site} />}</span>
    </span>
  );
}

function Export({ rows }: { rows: Query }) {
  const t = useText(text);
  const f = useFormat();
  const { message } = App.useApp();
  const write = async () => {
    const key = 'export';
    try {
      const out: (string | number)[][] = [['ID', t('severity'), t('kind'), 'API', t('status'), t('rating'), t('reason'), t('advice'), t('exploited'), 'OWASP', 'CWE', t('firstSeen'), t('last')]];
      let cursor: string | undefined;
      do {
        const { data } = await client.GET('/api/v1/defects', { params: { query: { ...rows, limit: 500, cursor } } });
        for (const d of data!.items) {
          out.push([
            d.id, nameOf('severity', d.severity, f.lang), nameOf('defect_kind', d.kind, f.lang), d.api, nameOf('defect_status', d.status, f.lang), `${degree(d.harm)}/${degree(d.exploitability)}/${degree(d.prevalence)}`,
            d.reason[f.lang], d.advice[f.lang], d.exploited_by.length, d.owasp.join(' '), d.cwe.join(' '), d.first_seen, d.last_seen,
          ]);
        }
        cursor = data!.next;
      } while (cursor && out.length < 50_000);
      save(`xiezhi-defects-${new Date().toISOString().slice(0, 10)}.csv`, csv(out), 'text/csv');
      message.success({ key, content: t('written', { n: f.exact(out.length - 1) }) });
    } catch (e) {
      const d = describe(e, f.lang);
      message.error({ key, content: `${d.title} ${d.detail}` });
    }
  };
  return (
    <Button icon={<DownloadOutlined />} onClick={() => void write()}>
      {t('csv')}
    </Button>
  );
}
