import { Skeleton } from 'antd';
import { api, type Schemas } from '../../../api/client';
import { Bars } from '../../../charts/Bars';
import { Chip, type EntityKind } from '../../../parts/Chip';
import { Inert } from '../../../parts/Inert';
import { useFormat } from '../../../parts/useFormat';
import { useText } from '../../../text/text';
import { inert } from '../../../text/inert';
import { TopList } from '../requests/TopSide';
import { text } from '../text';

type Campaign = Schemas['Campaign'];

const most = 6;

/**
 * Sources tells where a campaign comes from: of the whole of it by what its
 * attacks keep, of a stretch by its single requests.
 */
export function Sources({ of: c, picked }: { of: Campaign; picked: { from?: string; to?: string } }) {
  const t = useText(text);
  return (
    <section className="card">
      <h2>{t('breakdown')}</h2>
      <div className="atk-breakdown">
        {picked.from ? (
          (
            [
              ['client', 'topClients'],
              ['network', 'topNetworks'],
              ['country', 'topCountries'],
              ['agent', 'topAgents'],
              ['api', 'topApis'],
            ] as const
          ).map(([of, title]) => (
            <div key={of}>
              <h3>{t(title)}</h3>
              <TopList query={{ finding: c.id, ...picked }} of={of} limit={most} />
            </div>
          ))
        ) : (
          <Whole id={c.id} />
        )}
      </div>
    </section>
  );
}

function Whole({ id }: { id: string }) {
  const t = useText(text);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/campaigns/{id}/timeline', { params: { path: { id } } }, { staleTime: 60_000 });
  if (!q.data) return q.error ? <p className="atk-sub">{t('nothingKept')}</p> : <Skeleton active />;
  const a = q.data.actors;
  const tallies = (title: string, kind: EntityKind, list: readonly { key: string; count: number }[]) => (
    <div>
      <h3>{title}</h3>
      {list.length === 0 ? <p className="atk-sub">{t('topNone')}</p> : null}
      <Bars rows={list.slice(0, most).map((x) => ({ key: x.key, label: <Chip kind={kind} value={x.key} />, value: x.count, text: f.number(x.count) }))} />
    </div>
  );
  return (
    <>
      <div>
        <h3>
          {t('topClients')} · {t('shownOf', { n: f.exact(Math.min(most, a.addresses.length)), all: f.exact(a.addresses_total) })}
        </h3>
        <Bars
          rows={a.addresses.slice(0, most).map((x) => ({
            key: x.ip, label: <Chip kind="client" value={x.ip} label={x.owner ? `${x.ip} ${inert(x.owner)}` : undefined} />, value: x.attacks, text: t('nAttacks', { n: f.exact(x.attacks) }),
          }))}
        />
      </div>
      {tallies(t('topNetworks'), 'network', a.network_types)}
      {tallies(t('topCountries'), 'country', a.countries)}
      <div>
        <h3>{t('networks')}</h3>
        {a.networks.length === 0 ? <p className="atk-sub">{t('topNone')}</p> : null}
        <Bars
          rows={a.networks.slice(0, most).map((x) => ({
            key: String(x.asn), label: <Chip kind="asn" value={`AS${x.asn}`} label={x.organisation ? `AS${x.asn} ${inert(x.organisation)}` : undefined} />, value: x.ips, text: f.number(x.ips),
          }))}
        />
      </div>
      <div>
        <h3>{t('fingerprints')}</h3>
        <Bars rows={a.fingerprints.slice(0, most).map((x) => ({ key: x.key, label: <Inert text={x.key} />, value: x.count, text: t('nAttacks', { n: f.exact(x.count) }) }))} />
      </div>
    </>
  );
}
