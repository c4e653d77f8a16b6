import { Alert, App, Button, Skeleton, Table, Tag, Tooltip } from 'antd';
import { ReloadOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { api, client, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { describe, TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { Amount, When } from '../../parts/When';
import { useLang, useName, useText } from '../../text/text';
import { text } from './text';

type Feed = Schemas['Feed'];

const colours = { ok: 'success', never: 'default', failing: 'warning', stale: 'error' } as const;

/** Feeds shows where intelligence comes from, and how well. */
export function Feeds() {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const q = api.useQuery('get', '/api/v1/feeds', {}, { refetchInterval: 30_000, retry: false });
  if (q.error && !q.data)
    return (
      <section className="card">
        <h2>{t('feeds')}</h2>
        <TroubleView small error={q.error} retry={q.refetch} />
      </section>
    );
  if (!q.data) return <Skeleton active />;
  const ill = q.data.items.filter((x) => x.state === 'stale' || x.state === 'failing');
  return (
    <section className="card intel-wide">
      <h2>{t('feeds')}</h2>
      {ill.length > 0 && <Alert type="warning" showIcon title={t('feedsIll', { n: f.exact(ill.length) })} style={{ marginBottom: 10 }} />}
      {q.data.items.length === 0 ? (
        <p className="intel-sub">{t('feedsNone')}</p>
      ) : (
        <Table<Feed>
          size="small"
          aria-label={t('feeds')}
          rowKey="name"
          scroll={{ x: 'max-content' }}
          pagination={false}
          dataSource={q.data.items}
          expandable={{ expandedRowRender: (x) => <More of={x} />, columnTitle: t('details'), columnWidth: 64 }}
          columns={[
            {
              key: 'name', title: t('source'),
              render: (_, x) => (
                <Tooltip title={x.licence}>
                  <span>
                    <Inert text={x.name} /> <span className="intel-sub"><Inert text={x.host} /></span>
                  </span>
                </Tooltip>
              ),
            },
            {
              key: 'state', title: t('state'),
              render: (_, x) => (
                <>
                  <Tag color={colours[x.state]}>{t(`feed_${x.state}`)}</Tag>
                  {x.reading && <Tag>{t('reading')}</Tag>}
                </>
              ),
            },
            { key: 'fetched', title: t('fetched'), render: (_, x) => <When at={x.fetched} relative /> },
            { key: 'next', title: t('next'), render: (_, x) => <When at={x.next} /> },
            { key: 'rows', title: t('rows'), align: 'right', render: (_, x) => <Amount n={x.rows} /> },
            { key: 'weight', title: t('believed'), align: 'right', render: (_, x) => <Tooltip title={t('ledger', { confirmed: f.exact(x.confirmed), wrong: f.exact(x.wrong) })}><span>{f.percent(x.weight)}</span></Tooltip> },
            { key: 'do', title: t('actions'), render: (_, x) => <Refresh of={x} /> },
          ]}
        />
      )}
      <p className="intel-sub intel-tags">
        {t('others')}{' '}
        {q.data.sources
          .filter((s) => !q.data.items.some((x) => x.name === s.name))
          .map((s) => (
            <Tag key={s.name}>
              <Inert text={s.name} /> {name('intel_role', s.role)} {f.number(s.rows)}
            </Tag>
          ))}
      </p>
      <p className="intel-sub">{q.data.shared.length === 0 ? t('sharedNothing') : t('sharing', { list: q.data.shared.map((s) => t(`shared_${s}`)).join(t('comma')) })}</p>
    </section>
  );
}

/** More is what is not seen at a glance: what was refused, the last error, the terms. */
function More({ of: x }: { of: Feed }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const refused = Object.entries(x.refused).sort((a, b) => b[1] - a[1]);
  return (
    <dl className="intel-more">
      {x.error && (
        <>
          <dt>{t('lastError', { n: f.exact(x.failed) })}</dt>
          <dd>
            <Inert text={x.error} />
          </dd>
        </>
      )}
      <dt>{t('licence')}</dt>
      <dd>
        <Inert text={x.licence} />
      </dd>
      <dt>{t('refused')}</dt>
      <dd>{refused.length === 0 ? t('none') : refused.map(([why, n]) => `${name('intel_refused', why)} ${f.exact(n)}`).join(t('comma'))}</dd>
      <dt>{t('changedAt')}</dt>
      <dd>
        <When at={x.changed} /> {x.digest && <code className="intel-sub">{x.digest.slice(0, 16)}…</code>}
      </dd>
    </dl>
  );
}

function Refresh({ of: x }: { of: Feed }) {
  const t = useText(text);
  const lang = useLang();
  const { may } = useSession();
  const queries = useQueryClient();
  const { message } = App.useApp();
  if (!may('analyst')) return null;
  const send = async () => {
    try {
      await client.POST('/api/v1/feeds/{name}/refresh', { params: { path: { name: x.name } } });
      message.success(t('refreshing'));
      setTimeout(() => void queries.invalidateQueries({ queryKey: ['get', '/api/v1/feeds'] }), 2000);
    } catch (e) {
      message.error(describe(e, lang).title);
    }
  };
  return (
    <Button size="small" icon={<ReloadOutlined />} disabled={x.reading} onClick={() => void send()}>
      {t('refresh')}
    </Button>
  );
}
