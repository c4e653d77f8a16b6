import { Segmented, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { api } from '../../api/client';
import { Bars } from '../../charts/Bars';
import { Chip } from '../../parts/Chip';
import { Inert } from '../../parts/Inert';
import { ApiChip } from '../../parts/Known';
import type { Period } from '../../parts/period';
import { Severity } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { useUrl } from '../../parts/url';
import { useOpen } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { Border } from './Border';
import type { Question } from './Exposure';
import { Given } from './Given';
import { text } from './text';

export type Asked = { question: Question; period: Period };

/** scopeOf is what questions of observations can be held to, of what the screen is. */
export const scopeOf = ({ question, period }: Asked) => ({
  from: period.from, to: period.to, site: question.site, type: question.data ? [question.data] : undefined,
});

/** What the matrix cannot tell: how much was given out, to whom, where to. */
export function Side(asked: Asked) {
  return (
    <aside className="exposure-side">
      <Leaks {...asked} />
      <Given {...asked} />
      <ByType {...asked} />
      <Takers {...asked} />
      <Border {...asked} />
      <Twins question={asked.question} />
    </aside>
  );
}

export function Card({ title, children, tools }: { title: string; children: ReactNode; tools?: ReactNode }) {
  return (
    <section className="card">
      <h2>{title}</h2>
      {tools && <div className="card-tools">{tools}</div>}
      {children}
    </section>
  );
}

/** Leaks are the APIs that gave out most: where to look first. */
function Leaks(asked: Asked) {
  const t = useText(text);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/observations/top', { params: { query: { ...scopeOf(asked), of: 'api', measure: 'subjects', limit: 5 } } }, { enabled: asked.period.ready, placeholderData: (b) => b });
  const rows = (q.data?.items ?? []).filter((x) => x.value > 0 && x.key);
  return (
    <Card title={t('leaks')}>
      <State q={q} />
      {q.data && rows.length === 0 ? <p className="soft">{t('nothing')}</p> : null}
      <ul className="leaks">
        {rows.map((x) => (
          <li key={x.key}>
            <ApiChip id={x.key} />
            <span className="amount">{t('taker', { n: f.number(x.value), share: f.percent(x.value / Math.max(1, q.data!.total)) })}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function ByType(asked: Asked) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const url = useUrl();
  const { from, to, site } = scopeOf(asked);
  const q = api.useQuery('get', '/api/v1/observations/top', { params: { query: { from, to, site, of: 'type', measure: 'subjects', limit: 8 } } }, { enabled: asked.period.ready, placeholderData: (b) => b });
  const rows = (q.data?.items ?? []).filter((x) => x.value > 0);
  return (
    <Card title={t('byType')}>
      <State q={q} />
      {q.data && rows.length === 0 ? <p className="soft">{t('nothing')}</p> : null}
      <Bars
        rows={rows.map((x) => ({
          key: x.key, label: <Inert text={name('sensitive', x.key)} />, value: x.value, text: f.number(x.value),
          open: () => url.set({ data: url.get('data') === x.key ? null : x.key }),
        }))}
      />
      <p className="soft hint">{t('byTypeHint')}</p>
    </Card>
  );
}

const takersBy = ['actor', 'session', 'client'] as const;

function Takers(asked: Asked) {
  const t = useText(text);
  const f = useFormat();
  const url = useUrl();
  const of = takersBy.find((x) => x === url.get('by')) ?? 'actor';
  const q = api.useQuery('get', '/api/v1/observations/top', { params: { query: { ...scopeOf(asked), of, measure: 'subjects', limit: 8 } } }, { enabled: asked.period.ready, placeholderData: (b) => b });
  const rows = (q.data?.items ?? []).filter((x) => x.value > 0);
  return (
    <Card title={t('takers')}>
      <Segmented
        size="small"
        block
        aria-label={t('takersBy')}
        value={of}
        onChange={(v) => url.set({ by: v === 'actor' ? null : v })}
        options={takersBy.map((x) => ({ value: x, label: t(x) }))}
      />
      <State q={q} />
      {q.data && rows.length === 0 ? <p className="soft">{t('nothing')}</p> : null}
      <ul className="takers">
        {rows.map((x) => (
          <li key={x.key || '-'}>
            {x.key ? <Chip kind={of} value={x.key} /> : <span className="soft">{t('anonymous')}</span>}
            <span className="amount">{t('taker', { n: f.number(x.value), share: f.percent(x.value / Math.max(1, q.data!.total)) })}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Twins({ question }: { question: Question }) {
  const t = useText(text);
  const f = useFormat();
  const open = useOpen();
  const name = useName();
  const query = { site: question.site, kind: ['masked_plain_twin'], open: true };
  const q = api.useQuery('get', '/api/v1/defects', { params: { query: { ...query, sort: 'severity', limit: 5 } } });
  const total = q.data?.total ?? 0;
  const to = `/defects?${new URLSearchParams({ kind: 'masked_plain_twin', ...(question.site ? { site: question.site } : {}) })}`;
  return (
    <Card title={t('twins')} tools={total > 0 && <Link to={to}>{t('twinsAll', { n: f.exact(total) })}</Link>}>
      <p className="soft hint">{t('twinsWhy')}</p>
      <State q={q} />
      {q.data && total === 0 ? <p>{t('twinsNone')}</p> : null}
      <ul className="twins">
        {q.data?.items.map((d) => (
          <li key={d.id}>
            <button type="button" className="as-link" onClick={() => open('defect', d.id)}>
              {name('defect_kind', d.kind)}
            </button>{' '}
            <Severity level={d.severity} />
            <div>
              <ApiChip id={d.api} />
            </div>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function State({ q }: { q: { isPending: boolean; error: unknown; refetch: () => unknown; data?: unknown } }) {
  if (q.error && !q.data) return <TroubleView small error={q.error} retry={() => void q.refetch()} />;
  if (q.isPending) return <Skeleton active title={false} paragraph={{ rows: 3 }} />;
  return null;
}
