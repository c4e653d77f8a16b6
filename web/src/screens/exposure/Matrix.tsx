import type { TableProps } from 'antd';
import { useMemo } from 'react';
import { api, client } from '../../api/client';
import { DataTable } from '../../parts/DataTable';
import { Inert } from '../../parts/Inert';
import type { Period } from '../../parts/period';
import { Auth, Method } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { useFormat } from '../../parts/useFormat';
import { useUrl } from '../../parts/url';
import { usePaged } from '../../parts/usePaged';
import { useOpen } from '../../shell/drawer';
import { inert } from '../../text/inert';
import { useName, useText } from '../../text/text';
import { cellOf, heat, maskOf, type Direction, type Mask, type Row } from './cell';
import type { Question } from './Exposure';
import { text } from './text';

const marks: Record<Mask, 'plainMark' | 'maskedMark' | 'bothMark'> = { plain: 'plainMark', masked: 'maskedMark', both: 'bothMark' };

/** Rows are APIs, columns types of data; a cell tells the most records in one message. */
export function Matrix({ question, period, types, dir }: { question: Question; period: Period; types: readonly string[]; dir: Direction }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const url = useUrl();
  const open = useOpen();
  const query = { ...question, sort: 'exposed' as const };
  const paged = usePaged<Row>('/api/v1/exposure', query, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/exposure', { params: { query: { ...query, cursor, limit: 200 } }, signal });
    return data!;
  });
  // Whose figure is not among the largest shows none.
  const given = api.useQuery(
    'get', '/api/v1/observations/top',
    { params: { query: { from: period.from, to: period.to, site: question.site, of: 'api', measure: 'subjects', limit: 100 } } },
    { enabled: period.ready, retry: false, placeholderData: (b) => b },
  );
  const people = useMemo(() => new Map((given.data?.items ?? []).map((x) => [x.key, x.value])), [given.data]);

  const columns: TableProps<Row>['columns'] = [
    {
      key: 'api', title: t('api'), width: 330, fixed: 'start',
      render: (_, r) => (
        <div className="matrix-api">
          <div className="matrix-path" title={inert(r.template)}>
            <Method method={r.method} /> <Inert code text={r.template} />
          </div>
          <div className="matrix-site">
            <span className="soft">
              <Inert text={r.site} />
            </span>{' '}
            {r.auth !== 'required' && <Auth auth={r.auth} />}
          </div>
        </div>
      ),
    },
    {
      key: 'people', title: <span title={t('peopleHint')}>{t('people')}</span>, width: 96, align: 'right',
      render: (_, r) => (people.has(r.api) ? <span className="amount">{f.number(people.get(r.api)!)}</span> : <span className="none">–</span>),
    },
    ...types.map((type) => ({
      key: type,
      title: (
        <span className="matrix-type" title={inert(name('sensitive', type))}>
          {inert(name('sensitive', type))}
        </span>
      ),
      width: 88,
      align: 'center' as const,
      className: 'matrix-cell',
      render: (_: unknown, r: Row) => {
        const c = cellOf(r, type, dir);
        if (!c) return null;
        const mask = maskOf(c);
        const said = t(dir === 'request' ? 'cellIn' : 'cell', { type: name('sensitive', type), max: f.exact(c.max_per_response), exchanges: f.exact(c.exchanges), mask: t(mask) });
        return (
          <button
            type="button"
            className={`cell cell-${mask} heat-${heat(c.max_per_response)}`}
            title={inert(said)}
            onClick={(e) => {
              e.stopPropagation();
              url.set({ open: `api~${r.api}`, tab: 'data' }, { push: true });
            }}
          >
            <b>{f.number(c.max_per_response)}</b> <span>{t(marks[mask])}</span>
            <span className="unseen">{inert(said)}</span>
          </button>
        );
      },
    })),
  ];
  return (
    <div className="matrix">
      <p className="matrix-legend" aria-label={t('legend')}>
        <span>{t('legend')}</span>
        {(['one', 'few', 'some', 'many'] as const).map((k, i) => (
          <span key={k} className={`cell cell-plain heat-${i + 1}`}>
            {t(k)}
          </span>
        ))}
        {(['plain', 'both', 'masked'] as const).map((m) => (
          <span key={m} className="soft">
            <b className={`mark-${m}`}>{t(marks[m])}</b> {t(m)}
          </span>
        ))}
      </p>
      <DataTable
        label={t('matrix')}
        paged={paged}
        columns={columns}
        rowKey={(r) => r.api}
        open={(r) => open('api', r.api)}
        empty={<Teach title={t('none')}>{t('noneDo')}</Teach>}
      />
    </div>
  );
}
