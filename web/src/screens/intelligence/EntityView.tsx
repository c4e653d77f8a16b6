import { Descriptions, Segmented, Skeleton, Table } from 'antd';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { api, now, type Schemas } from '../../api/client';
import { Chip } from '../../parts/Chip';
import { Inert } from '../../parts/Inert';
import { Verdict } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { Amount, When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { Lookup } from './Lookup';
import { Rows } from './Rows';
import { shown, type Entity } from './entity';
import { text } from './text';

const titles = {
  client: 'oneClient', prefix: 'onePrefix', asn: 'oneAsn', country: 'oneCountry', network: 'oneNetwork', actor: 'oneActor', account: 'oneAccount', session: 'oneSession', agent: 'oneAgent',
} as const;

const days = [7, 30, 90] as const;

/** EntityView says what is known of an entity: by the map, by what was seen here, by attacks. */
export function EntityView({ of: e }: { of: Entity }) {
  const t = useText(text);
  const name = useName();
  const [back, setBack] = useState<(typeof days)[number]>(30);
  const span = useMemo(() => {
    const to = Math.ceil(now() / 60_000) * 60_000;
    return { from: new Date(to - back * 86_400_000).toISOString(), to: new Date(to).toISOString() };
  }, [back]);
  const q = api.useQuery('get', '/api/v1/entities/{kind}/{key}', { params: { path: { kind: e.kind, key: e.value }, query: span } }, { placeholderData: (before) => before, retry: false });
  const title = (
    <h2 className="intel-title">
      <small>{t(titles[e.kind])}</small>
      {e.kind === 'network' ? name('network_type', e.value) : <Inert text={shown(e)} />}
    </h2>
  );
  if (q.error && !q.data)
    return (
      <>
        {title}
        <TroubleView error={q.error} retry={q.refetch} />
      </>
    );
  if (!q.data) return <Skeleton active />;
  return (
    <>
      {title}
      <div className="intel-bar">
        <Segmented aria-label={t('period')} value={back} onChange={setBack} options={[{ value: 7, label: t('range7') }, { value: 30, label: t('range30') }, { value: 90, label: t('range90') }]} />
        {e.kind !== 'asn' && <Link to={`/attacks/requests?${new URLSearchParams({ [e.kind]: e.value, range: 'all' })}`}>{t('seeRequests')}</Link>}
      </div>
      <Intel of={q.data.intel} kind={e.kind} />
      {(e.kind === 'client' || e.kind === 'prefix' || e.kind === 'asn') && <Lookup value={shown(e)} nobodys={q.data.intel?.network === 'reserved'} />}
      {q.data.rows ? <Rows of={q.data.rows} /> : e.kind === 'asn' ? <p className="intel-sub">{t('rowsOff')}</p> : null}
      <Attacks of={q.data} />
      <Campaigns of={q.data} />
    </>
  );
}

function Intel({ of: i, kind }: { of?: Schemas['EntityIntel']; kind: Entity['kind'] }) {
  const t = useText(text);
  const name = useName();
  if (!['client', 'prefix', 'asn'].includes(kind)) return null;
  if (!i) return <p className="intel-sub">{t('noMap')}</p>;
  return (
    <>
      <Descriptions
        size="small"
        column={2}
        items={[
          { key: 'network', label: t('networkType'), children: i.network ? name('network_type', i.network) : '–' },
          { key: 'asn', label: 'ASN', children: i.asn ? <Chip kind="asn" value={`AS${i.asn}`} /> : '–' },
          { key: 'owner', label: t('owner'), children: i.owner ? <Inert text={i.owner} /> : '–' },
          { key: 'place', label: t('place'), children: i.country ? <><Chip kind="country" value={i.country} /> {i.region ? <Inert text={i.region} /> : null}</> : '–' },
        ]}
      />
      {(i.network === 'shared_exit' || i.network === 'mobile') && <p className="intel-warn">{t('shared')}</p>}
    </>
  );
}

function Attacks({ of: e }: { of: Schemas['Entity'] }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const open = useOpen();
  return (
    <section className="intel-section">
      <h3>{t('attacks')}</h3>
      {e.attacks.length === 0 ? (
        <p className="intel-sub">{t('attacksNone')}</p>
      ) : (
        <>
          <Table
            size="small"
            aria-label={t('attacks')}
            pagination={e.attacks.length > 10 ? { pageSize: 10, size: 'small', showSizeChanger: false } : false}
            rowKey="id"
            scroll={{ x: 'max-content' }}
            dataSource={e.attacks}
            columns={[
              {
                key: 'kind', title: t('kind'),
                render: (_, a) => (
                  <button type="button" className="as-link" onClick={() => open('attack', a.id)}>
                    {name('attack_kind', a.kind)}
                  </button>
                ),
              },
              { key: 'verdict', title: t('verdict'), render: (_, a) => <Verdict verdict={a.verdict} /> },
              { key: 'site', title: t('site'), render: (_, a) => <Chip kind="site" value={a.site} /> },
              { key: 'requests', title: t('requests'), align: 'right', render: (_, a) => <Amount n={a.requests} /> },
              { key: 'first', title: t('firstSeen'), render: (_, a) => <When at={a.first_seen} /> },
              { key: 'last', title: t('lastSeen'), render: (_, a) => <When at={a.last_seen} /> },
            ]}
          />
          {e.attacks_total > e.attacks.length && <p className="intel-sub">{t('attacksMore', { n: f.exact(e.attacks_total), shown: f.exact(e.attacks.length) })}</p>}
        </>
      )}
    </section>
  );
}

function Campaigns({ of: e }: { of: Schemas['Entity'] }) {
  const t = useText(text);
  const f = useFormat();
  if (e.campaigns.length === 0) return null;
  return (
    <section className="intel-section">
      <h3>{t('campaigns')}</h3>
      <ul className="intel-hit-list">
        {e.campaigns.map((c) => (
          <li key={c.id}>
            <Link to={`/attacks/campaigns/${encodeURIComponent(c.id)}`}>
              <Inert text={c.name} />
            </Link>
            <span className="intel-sub">{t('nAttacks', { n: f.exact(c.attacks) })}</span>
            {c.sites.slice(0, 6).map((s) => (
              <Chip key={s} kind="site" value={s} />
            ))}
            <span className="intel-sub">
              {t('last')} <When at={c.last_seen} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
