import { Skeleton } from 'antd';
import { useMemo } from 'react';
import { api, type Schemas } from '../../api/client';
import { Bars } from '../../charts/Bars';
import { Chip, type EntityKind } from '../../parts/Chip';
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
        <Top of="client" title="client" span={span} />
        <Top of="agent" title="agent" span={span} />
        <OfAttacks span={span} />
        <section className="card">
          <h2>{t('feeds')}</h2>
          <p className="intel-sub">{t('feedsNot')}</p>
        </section>
      </div>
    </>
  );
}

type Span = { from?: string; to?: string };

function Top({ of, title, span }: { of: 'client' | 'agent'; title: 'client' | 'agent'; span: Span }) {
  const t = useText(text);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/observations/top', { params: { query: { from: span.from, to: span.to, of, verdict: ['attack', 'suspicious'], limit: 10 } } }, { retry: false });
  return (
    <section className="card">
      <h2>{t(title)}</h2>
      <p className="intel-sub">{t('byRequests')}</p>
      {q.error ? <TroubleView small error={q.error} retry={q.refetch} /> : null}
      {q.isPending ? <Skeleton active title={false} /> : null}
      {q.data?.items.length === 0 && <p className="intel-sub">{t('none')}</p>}
      <Bars rows={(q.data?.items ?? []).map((x) => ({ key: x.key, label: <Chip kind={of} value={x.key} label={of === 'agent' ? x.key.slice(0, 12) : undefined} />, value: x.value, text: f.number(x.value) }))} />
    </section>
  );
}

function OfAttacks({ span }: { span: Span }) {
  const t = useText(text);
  const q = api.useQuery('get', '/api/v1/attacks', { params: { query: { from: span.from, to: span.to, sort: 'last_seen', limit: 500 } } });
  const all = useMemo(() => sources((q.data?.items ?? []) as Schemas['Attack'][]), [q.data]);
  if (q.error) return <TroubleView small error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active />;
  return (
    <>
      <Listed title={t('asn')} kind="asn" list={all.networks} />
      <Listed title={t('country')} kind="country" list={all.countries} />
      <Listed title={t('network')} kind="network" list={all.types} />
    </>
  );
}

function Listed({ title, kind, list }: { title: string; kind: EntityKind; list: readonly Source[] }) {
  const t = useText(text);
  const f = useFormat();
  return (
    <section className="card">
      <h2>{title}</h2>
      <p className="intel-sub">{t('byAddresses')}</p>
      {list.length === 0 && <p className="intel-sub">{t('none')}</p>}
      <Bars
        rows={list.slice(0, 10).map((s) => ({
          key: s.key, label: <Chip kind={kind} value={s.key} label={s.name ? `${s.key} ${inert(s.name)}` : undefined} />, value: s.ips, text: `${f.number(s.ips)} · ${t('nAttacks', { n: f.exact(s.attacks) })}`,
        }))}
      />
    </section>
  );
}
