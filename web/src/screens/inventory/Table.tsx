import type { TableProps } from 'antd';
import { Tooltip } from 'antd';
import { useMemo } from 'react';
import { client, type Schemas } from '../../api/client';
import { Chip } from '../../parts/Chip';
import { DataTable } from '../../parts/DataTable';
import { Inert } from '../../parts/Inert';
import { Auth, Method, Severity } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { useUrl, type Span } from '../../parts/url';
import { usePaged } from '../../parts/usePaged';
import { Amount, When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { text } from './text';
import type { ColumnID } from './useColumns';
import type { Marks } from './useMarks';
import type { Question } from './useQuestion';

type API = Schemas['API'];

/** What the server can put the list in order of. */
export const sorts = { template: 'template', exposed: 'exposed', exchanges: 'exchanges', actors: 'actors', first_seen: 'first_seen', last_seen: 'last_seen' } as const;

export type Sort = keyof typeof sorts;

/** The list of APIs that the question leaves. */
export function APITable({ question, shown, marks, titleOf, span, bare }: { question: Question; shown: readonly ColumnID[]; marks: Marks; titleOf: (a: API) => string | undefined; span: Span; bare: boolean }) {
  const t = useText(text);
  const name = useName();
  const url = useUrl();
  const open = useOpen();
  const asked = url.get('sort');
  const sort = (asked && asked in sorts ? asked : 'last_seen') as Sort;
  const order = url.get('order') === 'asc' ? ('asc' as const) : ('desc' as const);
  const query = { ...question, sort, order };
  const paged = usePaged<API>('/api/v1/apis', query, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/apis', { params: { query: { ...query, cursor, limit: 200 } }, signal });
    return data!;
  });

  const columns = useMemo(() => {
    const sorted = (id: Sort) => ({ sorter: true, sortOrder: sort === id ? (order === 'asc' ? ('ascend' as const) : ('descend' as const)) : null });
    const all: Record<ColumnID, NonNullable<TableProps<API>['columns']>[number]> = {
      method: { key: 'method', title: t('method'), width: 84, render: (_, a) => <Method method={a.method} /> },
      template: {
        key: 'template', title: t('template'), width: 300, ellipsis: true, ...sorted('template'),
        render: (_, a) => <PathCell api={a} title={titleOf(a)} />,
      },
      site: { key: 'site', title: t('site'), width: 130, ellipsis: true, render: (_, a) => <Chip kind="site" value={a.site} filter="site" /> },
      host: { key: 'host', title: t('host'), width: 200, ellipsis: true, render: (_, a) => <Inert text={a.host} /> },
      role: { key: 'role', title: t('role'), width: 120, ellipsis: true, render: (_, a) => name('role', a.role) },
      exposure: { key: 'exposure', title: t('exposure'), width: 90, render: (_, a) => name('exposure', a.exposure) },
      auth: { key: 'auth', title: t('auth'), width: 146, render: (_, a) => <Auth auth={a.auth} /> },
      data: { key: 'data', title: t('data'), width: 200, render: (_, a) => <DataChips api={a} /> },
      exposed: { key: 'exposed', title: <Tooltip title={t('exposedHelp')}>{t('exposed')}</Tooltip>, width: 130, align: 'right', ...sorted('exposed'), render: (_, a) => <Amount n={exposed(a)} /> },
      exchanges: { key: 'exchanges', title: t('exchanges'), width: 104, align: 'right', ...sorted('exchanges'), render: (_, a) => <Amount n={a.exchanges} /> },
      actors: { key: 'actors', title: t('actors'), width: 96, align: 'right', ...sorted('actors'), render: (_, a) => <Amount n={a.actors} /> },
      lifecycle: { key: 'lifecycle', title: t('lifecycle'), width: 96, render: (_, a) => (a.gone ? t('gone') : name('lifecycle', a.lifecycle)) },
      defects: { key: 'defects', title: t('defects'), width: 130, render: (_, a) => <DefectMark of={marks.defects.get(a.id)} more={marks.more} /> },
      attacks: {
        key: 'attacks', title: <Tooltip title={t(marks.manyAttacks ? 'attacksMany' : 'attacksHelp')}>{t('attacks')}</Tooltip>, width: 76, align: 'right',
        render: (_, a) => (marks.attacks.has(a.id) ? <Amount n={marks.attacks.get(a.id)} /> : <span className="none">–</span>),
      },
      first_seen: { key: 'first_seen', title: t('firstSeen'), width: 145, ...sorted('first_seen'), render: (_, a) => <When at={a.first_seen} /> },
      last_seen: { key: 'last_seen', title: t('lastSeen'), width: 145, ...sorted('last_seen'), render: (_, a) => <When at={a.last_seen} /> },
    };
    return shown.map((id) => all[id]);
  }, [shown, marks, titleOf, sort, order, t, name]);

  const nothing = bare && span.name === 'all';
  return (
    <DataTable
      label={t('title')}
      paged={paged}
      columns={columns}
      rowKey={(a) => a.id}
      open={(a) => open('api', a.id)}
      sort={(column, way) => url.set({ sort: column && column !== 'last_seen' ? column : null, order: way === 'asc' ? 'asc' : null })}
      empty={<Teach title={t(nothing ? 'empty' : 'none')}>{t(nothing ? 'emptyDo' : 'noneDo')}</Teach>}
    />
  );
}

/** exposed is the most records with plain sensitive data in one answer. */
export function exposed(a: API): number | undefined {
  const most = a.sensitive.reduce((n, s) => (s.in === 'response' && !s.masked ? Math.max(n, s.max_per_response) : n), 0);
  return most || undefined;
}

function PathCell({ api, title }: { api: API; title?: string }) {
  return (
    <span className="path-cell">
      <Inert code text={api.template} />
      {title && (
        <span className="path-title">
          <Inert text={title} />
        </span>
      )}
    </span>
  );
}

const most = 2;

function DataChips({ api }: { api: API }) {
  const name = useName();
  const types = [...new Set(api.sensitive.filter((s) => !s.masked).map((s) => s.type))];
  if (types.length === 0) return <span className="none">–</span>;
  return (
    <span className="chip-row">
      {types.slice(0, most).map((s) => (
        <Chip key={s} kind="type" value={s} filter="data" />
      ))}
      {types.length > most && <Tooltip title={types.slice(most).map((s) => name('sensitive', s)).join(', ')}>+{types.length - most}</Tooltip>}
    </span>
  );
}

function DefectMark({ of, more }: { of?: { count: number; worst: string }; more: boolean }) {
  if (!of) return <span className="none">{more ? '?' : '–'}</span>;
  return (
    <span className="defect-mark">
      <b>{of.count}</b> <Severity level={of.worst} />
    </span>
  );
}
