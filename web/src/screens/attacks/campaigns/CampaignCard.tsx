import { Link } from 'react-router';
import type { Schemas } from '../../../api/client';
import { Chip } from '../../../parts/Chip';
import { Inert } from '../../../parts/Inert';
import { Sentence } from '../../../parts/Sentence';
import { useFormat } from '../../../parts/useFormat';
import { Amount, When } from '../../../parts/When';
import { useName, useText } from '../../../text/text';
import { Figures } from '../Figures';
import { Going } from '../Going';
import { text } from '../text';

type Campaign = Schemas['Campaign'];

export function CampaignCard({ of: c }: { of: Campaign }) {
  const t = useText(text);
  return (
    <article className="card atk-campaign-card">
      <h2>
        <Link to={`/attacks/campaigns/${encodeURIComponent(c.id)}`}>
          <Inert text={c.name} />
        </Link>
        <Kinds of={c} />
        <Going first={c.first_seen} last={c.last_seen} />
      </h2>
      <p className="atk-says">
        <Sentence of={c.reason} />
      </p>
      <CampaignFigures of={c} />
      <div className="atk-chips">
        <span className="atk-sub">{t('site')}</span>
        {c.sites.slice(0, 12).map((s) => (
          <Chip key={s} kind="site" value={s} filter="site" />
        ))}
        {c.sites.length > 12 && <span className="atk-sub">{t('more', { n: c.sites.length - 12 })}</span>}
      </div>
    </article>
  );
}

export function Kinds({ of: c }: { of: Campaign }) {
  const name = useName();
  return <span>{c.kinds.map((k) => name('attack_kind', k)).join(' · ')}</span>;
}

export function CampaignFigures({ of: c }: { of: Campaign }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const share = (n: number) => (c.requests ? t('share', { p: f.percent(n / c.requests) }) : undefined);
  return (
    <Figures
      list={[
        { key: 'attacks', label: t('alerts'), value: <Amount n={c.attacks.length} />, more: t('nSites', { n: f.exact(c.sites.length) }) },
        { key: 'requests', label: t('nRequests'), value: <Amount n={c.requests} /> },
        { key: 'succeeded', label: t('succeeded'), value: <Amount n={c.succeeded} />, more: share(c.succeeded), bad: c.succeeded > 0 },
        { key: 'blocked', label: t('blocked'), value: <Amount n={c.blocked} />, more: share(c.blocked) },
        { key: 'people', label: t('people'), value: <Amount n={c.subjects_exposed} />, more: c.subjects_exposed > 0 ? t('atMost') : undefined, bad: c.subjects_exposed > 0 },
        { key: 'ips', label: t('addresses'), value: <Amount n={c.ip_count} />, more: c.industries.map((i) => name('industry', i)).slice(0, 3).join(' · ') },
        {
          key: 'when', label: t('began'), value: <span className="atk-when"><When at={c.first_seen} detail="day" /></span>,
          more: <>{t('last')} <When at={c.last_seen} detail="day" /></>,
        },
      ]}
    />
  );
}
