import { ColumnWidthOutlined, DownloadOutlined, FileTextOutlined, MenuFoldOutlined, MenuUnfoldOutlined } from '@ant-design/icons';
import { App, Button, Checkbox, Dropdown, Grid, Popover, Space, Tabs, Tooltip } from 'antd';
import { useMemo, useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { FilterBar, type Facet } from '../../parts/FilterBar';
import { Inert } from '../../parts/Inert';
import { PageHead } from '../../parts/PageHead';
import { Teach } from '../../parts/Teach';
import { describe } from '../../parts/TroubleView';
import { useSpan, useUrl } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { useSession } from '../../api/session';
import { useName, useText } from '../../text/text';
import { DriftDialog } from './drift/DriftDialog';
import { DriftList } from './drift/DriftList';
import { useDrift, type Compared } from './drift/useDrift';
import { exportCSV, exportOpenAPI } from './export';
import { SiteTree } from './SiteTree';
import { APITable, sorts, type Sort } from './Table';
import { text } from './text';
import './style.css';
import { columnIDs, standardColumns, useColumns, type ColumnID } from './useColumns';
import { useEdits } from './useEdits';
import { useMarks } from './useMarks';
import { useQuestion, type Question } from './useQuestion';
import { countOf, driftOf, sums, viewOf, views, type View } from './views';

export default function Inventory() {
  const t = useText(text);
  const f = useFormat();
  const url = useUrl();
  const wide = Grid.useBreakpoint().xl ?? true;
  const [folded, setFolded] = useState(false);
  const [dialog, setDialog] = useState<{ shown?: Compared }>();
  const span = useSpan('all');
  const { base, whole, bare } = useQuestion(span);
  const view = viewOf(url.get('view'));
  const { shown, show } = useColumns();
  const kept = useDrift(base.site, driftOf[view] !== undefined);
  const { titleOf } = useEdits();
  const marks = useMarks(base.site, span);
  const counts = useCounts(base);
  const everywhere = useCounts({ text: base.text, from: base.from, to: base.to });
  const inView = useCounts(whole);
  const facets = useFacets(inView, view);

  const drift = kept.drift;
  const kinds = driftOf[view];
  const number = (v: View) => {
    const k = driftOf[v];
    if (!k) return countOf(v, counts);
    return drift.length ? drift.reduce((n, c) => n + c.result.items.filter((i) => k.includes(i.kind)).length, 0) : undefined;
  };
  return (
    <>
      <PageHead title={t('title')} extra={<Actions whole={whole} shown={shown} marks={marks} show={show} describe={() => setDialog({})} />}>
        {t('intro')}
      </PageHead>
      <FilterBar standard="all" search={t('search')} facets={kinds ? [] : facets} chips={[{ name: 'path', label: t('path') }, { name: 'first_from', label: t('firstFrom') }, { name: 'first_to', label: t('firstTo') }]} />
      <div className={wide && !folded ? 'inventory with-tree' : 'inventory'}>
        {wide && !folded && (
          <nav className="card tree-card" aria-label={t('tree')}>
            <div className="tree-head">
              <h2>{t('tree')}</h2>
              <Tooltip title={t('treeHide')}>
                <Button type="text" size="small" icon={<MenuFoldOutlined />} aria-label={t('treeHide')} onClick={() => setFolded(true)} />
              </Tooltip>
            </div>
            <SiteTree counts={everywhere} />
          </nav>
        )}
        <div className="inventory-list">
          <Tabs
            size="small"
            activeKey={view}
            onChange={(v) => url.set({ view: v === 'all' ? null : v })}
            aria-label={t('views')}
            tabBarExtraContent={wide && folded ? { left: <Button type="text" size="small" icon={<MenuUnfoldOutlined />} aria-label={t('treeShow')} onClick={() => setFolded(false)} /> } : undefined}
            items={views.map((v) => ({
              key: v,
              label: (
                <Tooltip title={t(`help.${v}`)}>
                  <span>
                    {t(v)} <span className="soft">{number(v) === undefined ? '' : f.number(number(v)!)}</span>
                  </span>
                </Tooltip>
              ),
            }))}
          />
          {kinds ? (
            <DriftView what={t(view)} kinds={kinds} drift={drift} many={kept.many} open={(c) => setDialog({ shown: c })} />
          ) : (
            <APITable question={whole} shown={shown} marks={marks} titleOf={titleOf} span={span} bare={bare} />
          )}
        </div>
      </div>
      {dialog && <DriftDialog site={base.site} shown={dialog.shown} close={() => setDialog(undefined)} />}
    </>
  );
}

function useCounts(question: Question): Schemas['Counts'] | undefined {
  return api.useQuery('get', '/api/v1/counts/apis', { params: { query: { ...question, tags: true } } }, { placeholderData: (before) => before }).data;
}

/** useFacets gives what the filter bar offers, with how many each choice would leave. */
function useFacets(counts: Schemas['Counts'] | undefined, view: View): Facet[] {
  const t = useText(text);
  const name = useName();
  return useMemo(() => {
    const tags = (id: string, called: (v: string) => string) =>
      (counts?.tags ?? []).filter((x) => x.name === id).map((x) => ({ value: x.value, label: called(x.value), count: x.count })).sort((a, b) => b.count - a.count);
    const groups = (by: 'type' | 'state', kind: string) => sums(counts, by).map((x) => ({ ...x, label: name(kind, x.value) }));
    const all: Facet[] = [
      { name: 'lifecycle', label: t('lifecycle'), choices: groups('state', 'lifecycle'), multiple: true },
      { name: 'role', label: t('role'), choices: groups('type', 'role'), multiple: true },
      { name: 'auth', label: t('auth'), choices: tags('auth', (v) => name('auth', v)) },
      { name: 'exposure', label: t('exposure'), choices: tags('exposure', (v) => name('exposure', v)) },
      { name: 'method', label: t('method'), choices: tags('method', (v) => v) },
      { name: 'data', label: t('data'), choices: tags('data', (v) => name('sensitive', v)) },
    ];
    return all.filter((x) => !(view === 'new' && x.name === 'lifecycle') && !(view === 'open' && x.name === 'auth'));
  }, [counts, view, t, name]);
}

function DriftView({ what, kinds, drift, many, open }: { what: string; kinds: readonly string[]; drift: readonly Compared[]; many: boolean; open: (c?: Compared) => void }) {
  const t = useText(text);
  const { may } = useSession();
  if (drift.length === 0) {
    return (
      <Teach title={t('noDrift', { what })}>
        <p>{t(many ? 'noDriftMany' : 'noDriftDo')}</p>
        {may('analyst') && (
          <Button type="primary" icon={<FileTextOutlined />} onClick={() => open()}>
            {t('import')}
          </Button>
        )}
      </Teach>
    );
  }
  return (
    <>
      {drift.map((c) => (
        <section key={c.site} className="gap">
          <h3 className="drift-head">
            <Inert text={t('compared', { site: c.site, file: c.files.map((x) => x.name).join(', ') })} />{' '}
            <Button type="link" size="small" onClick={() => open(c)}>
              {t('seeAll')}
            </Button>
          </h3>
          <DriftList items={c.result.items.filter((i) => kinds.includes(i.kind))} none={t('noDriftItems', { what })} height={drift.length > 1 ? 320 : undefined} />
        </section>
      ))}
    </>
  );
}

function Actions({ whole, shown, marks, show, describe: importOne }: {
  whole: ReturnType<typeof useQuestion>['whole']; shown: readonly ColumnID[]; marks: ReturnType<typeof useMarks>; show: (l: readonly ColumnID[]) => void; describe: () => void;
}) {
  const t = useText(text);
  const f = useFormat();
  const url = useUrl();
  const { may } = useSession();
  const { message } = App.useApp();
  const key = 'export';
  const fail = (e: unknown) => {
    const d = describe(e, f.lang);
    message.error({ key, content: `${d.title} ${d.detail}` });
  };
  const writeCSV = async () => {
    const sort = url.get('sort');
    try {
      const { rows, capped } = await exportCSV({
        question: whole, shown, marks, lang: f.lang, signal: new AbortController().signal,
        sort: sort && sort in sorts ? (sort as Sort) : undefined, order: url.get('order') === 'asc' ? 'asc' : undefined,
        progress: (n, total) => message.loading({ key, duration: 0, content: t('writing', { n: f.exact(n), total: f.exact(total) }) }),
      });
      if (capped) message.warning({ key, content: t('capped', { n: f.exact(rows) }) });
      else message.success({ key, content: t('written', { n: f.exact(rows) }) });
    } catch (e) {
      fail(e);
    }
  };
  const writeOpenAPI = async (form: 'json' | 'yaml') => {
    try {
      const n = await exportOpenAPI(whole.site!, form);
      message.success({ key, content: t('exported', { site: whole.site!, n: f.exact(n) }) });
    } catch (e) {
      fail(e);
    }
  };
  const noSite = whole.site ? undefined : t('exportWhich');
  return (
    <Space wrap>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            ...(may('analyst') ? [{ key: 'import', label: t('import') }, { type: 'divider' as const }] : []),
            { key: 'json', disabled: !whole.site, label: t('exportJSON'), title: noSite },
            { key: 'yaml', disabled: !whole.site, label: t('exportYAML'), title: noSite },
            ...(noSite ? [{ key: 'why', type: 'group' as const, label: noSite }] : []),
          ],
          onClick: ({ key }) => (key === 'import' ? importOne() : void writeOpenAPI(key as 'json' | 'yaml')),
        }}
      >
        <Button icon={<FileTextOutlined />}>{t('describe')}</Button>
      </Dropdown>
      <Button icon={<DownloadOutlined />} onClick={() => void writeCSV()}>
        {t('csv')}
      </Button>
      <Popover
        trigger="click"
        placement="bottomRight"
        title={t('columns')}
        content={
          <div className="column-picker">
            <Checkbox.Group
              value={shown as ColumnID[]}
              onChange={(list) => show(list as ColumnID[])}
              options={columnIDs.map((c) => ({ value: c, disabled: c === 'template', label: t(c === 'first_seen' ? 'firstSeen' : c === 'last_seen' ? 'lastSeen' : c) }))}
            />
            <Button type="link" size="small" onClick={() => show(standardColumns)}>
              {t('standard')}
            </Button>
          </div>
        }
      >
        <Button icon={<ColumnWidthOutlined />}>{t('columns')}</Button>
      </Popover>
    </Space>
  );
}
