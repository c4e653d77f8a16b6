import { Skeleton } from 'antd';
import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { Bars } from '../../charts/Bars';
import { Chip, type EntityKind } from '../../parts/Chip';
import { Inert } from '../../parts/Inert';
import { TroubleView } from '../../parts/TroubleView';
import { useSpan } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { inert } from '../../text/inert';
import { useText } from '../../text/text';
import { sources, type Source } from './sources';
import { text } from './text';

/** Worst shows, while nothing is looked for, who was most hostile of late. */
export function Worst() {
  const t = useText(text);
  const span = useSpan('30d');
  return (
    <>
      <h2 className="intel-title">{t('worst')}</h2>
      <p className="intel-intro">{t('worstIntro')}</p>
      <div className="intel-lists">
        <OfAttacks span={span} />
      </div>
    </>
  );
}

type Span = { from?: string; to?: string };

function OfAttacks({ span }: { span: Span }) {
  const t = useText(text);
  const q = api.useQuery('get', '/api/v1/attacks', { params: { query: { from: span.from, to: span.to, sort: 'last_seen', limit: 500 } } });
  const all = useMemo(() => sources((q.data?.items ?? []) as Schemas['Attack'][]), [q.data]);
  if (q.error) return <TroubleView small error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active />;
  return (
    <>
      <Listed title={t('client')} kind="client" list={all.addresses} often />
      <Listed title={t('asn')} kind="asn" list={all.networks} />
      <Listed title={t('country')} kind="country" list={all.countries} />
      <Listed title={t('network')} kind="network" list={all.types} />
      <Listed title={t('software')} list={all.software} often />
    </>
  );
}

function Listed({ title, kind, list, often }: { title: string; kind?: EntityKind; list: readonly Source[]; often?: boolean }) {
  const t = useText(text);
  const f = useFormat();
  return (
    <section className="card">
      <h2>{title}</h2>
      <p className="intel-sub">{often ? t('byAttacks') : t('byAddresses')}</p>
      {list.length === 0 && <p className="intel-sub">{t('none')}</p>}
      <Bars
        rows={list.slice(0, 10).map((s) => ({
          key: s.key,
          label: kind ? <Chip kind={kind} value={s.key} label={s.name ? `${s.key} ${inert(s.name)}` : undefined} /> : <Inert text={s.key} />,
          value: often ? s.attacks : s.ips,
          text: often ? t('nAttacks', { n: f.exact(s.attacks) }) : `${f.number(s.ips)} · ${t('nAttacks', { n: f.exact(s.attacks) })}`,
        }))}
      />
    </section>
  );
}
