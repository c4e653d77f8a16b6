import { Skeleton } from 'antd';
import { Link } from 'react-router';
import { api } from '../../api/client';
import { Chip } from '../../parts/Chip';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { Verdict } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { links, sure, type Scope } from './links';
import { text } from './text';

/** The attacks of the period that were seen last. */
export function LatestAttacks({ scope, most = 5 }: { scope: Scope; most?: number }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const open = useOpen();
  const q = api.useQuery('get', '/api/v1/attacks', {
    params: { query: { from: scope.from, first_to: scope.to, site: scope.site, verdict: [...sure], sort: 'last_seen', limit: most } },
  });
  return (
    <section className="card">
      <h2>{t('attacks')}</h2>
      <div className="card-tools">
        <Link to={links.attacks(scope)}>{t('allAttacks')}</Link>
      </div>
      {q.error ? <TroubleView small error={q.error} retry={q.refetch} /> : null}
      {q.isPending ? <Skeleton active /> : null}
      {q.data?.items.length === 0 ? <p className="soft">{t('noAttacks')}</p> : null}
      <ul className="latest">
        {q.data?.items.map((a) => (
          <li key={a.id}>
            <div className="latest-head">
              <button type="button" className="as-link" onClick={() => open('attack', a.id)}>
                {name('attack_kind', a.kind)}
              </button>
              <Verdict verdict={a.verdict} />
              <Chip kind="site" value={a.site} filter="site" />
              <span className="grow" />
              <span className="soft">
                {t('attackLine', { n: f.number(a.requests) })}
                {a.subjects_exposed > 0 && <b className="taken"> · {t('taken', { n: f.number(a.subjects_exposed) })}</b>} · <When at={a.last_seen} relative />
              </span>
            </div>
            <p className="latest-why">
              <Sentence of={a.reason} />
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The campaigns that went on in the period. */
export function ActiveCampaigns({ scope, most = 5 }: { scope: Scope; most?: number }) {
  const t = useText(text);
  const f = useFormat();
  const open = useOpen();
  const q = api.useQuery('get', '/api/v1/campaigns', {
    params: { query: { from: scope.from, first_to: scope.to, site: scope.site, sort: 'last_seen', limit: most } },
  });
  return (
    <section className="card">
      <h2>{t('campaigns')}</h2>
      <div className="card-tools">
        <Link to={links.campaigns(scope)}>{t('allCampaigns')}</Link>
      </div>
      {q.error ? <TroubleView small error={q.error} retry={q.refetch} /> : null}
      {q.isPending ? <Skeleton active /> : null}
      {q.data?.items.length === 0 ? <p className="soft">{t('noCampaigns')}</p> : null}
      <ul className="latest">
        {q.data?.items.map((c) => (
          <li key={c.id}>
            <div className="latest-head">
              <button type="button" className="as-link" onClick={() => open('campaign', c.id)}>
                <Inert text={c.name} />
              </button>
              <span className="grow" />
              <span className="soft">
                {t('campaignLine', { attacks: f.number(c.attacks.length), sites: f.number(c.sites.length), n: f.number(c.requests) })}
                {c.subjects_exposed > 0 && <b className="taken"> · {t('taken', { n: f.number(c.subjects_exposed) })}</b>} · <When at={c.last_seen} relative />
              </span>
            </div>
            <p className="latest-why">
              <Sentence of={c.reason} />
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}
