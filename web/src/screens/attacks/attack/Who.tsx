import { Button, Table } from 'antd';
import { useState } from 'react';
import type { Schemas } from '../../../api/client';
import { Bars } from '../../../charts/Bars';
import { Chip } from '../../../parts/Chip';
import { Inert } from '../../../parts/Inert';
import { useFormat } from '../../../parts/useFormat';
import { useLang, useName, useText } from '../../../text/text';
import { text } from '../text';
import { traits, wordOf } from '../words';

type Attack = Schemas['Attack'];

const first = 24;

/** Who tells where an attack comes from, and what its sources have that others do not. */
export function Who({ of: a }: { of: Attack }) {
  const t = useText(text);
  const f = useFormat();
  const [all, setAll] = useState(false);
  const { ips, networks = [], countries = [], network_types = [], fingerprints, accounts } = a.actors;
  const shown = all ? ips : ips.slice(0, first);
  return (
    <>
      <section className="atk-panel-section">
        <h3>
          {t('ips')} <span className="atk-sub">{t('shownOf', { n: f.exact(shown.length), all: f.exact(a.actors.ip_count) })}</span>
        </h3>
        <div className="atk-chips">
          {shown.map((ip) => (
            <Chip key={ip} kind="client" value={ip} />
          ))}
          {ips.length > shown.length && (
            <Button size="small" onClick={() => setAll(true)}>
              {t('showAll')}
            </Button>
          )}
        </div>
      </section>
      <div className="atk-two">
        {network_types.length > 0 && (
          <section className="atk-panel-section">
            <h3>{t('networkTypes')}</h3>
            <Bars rows={network_types.map((n) => ({ key: n.type, label: <Chip kind="network" value={n.type} />, value: n.ips, text: f.exact(n.ips) }))} />
          </section>
        )}
        {countries.length > 0 && (
          <section className="atk-panel-section">
            <h3>{t('countries')}</h3>
            <Bars rows={countries.map((c) => ({ key: c.country, label: <Chip kind="country" value={c.country} />, value: c.ips, text: f.exact(c.ips) }))} />
          </section>
        )}
      </div>
      {networks.length === 0 && countries.length === 0 && <p className="atk-sub">{t('noMap')}</p>}
      {networks.length > 0 && <Networks list={networks} />}
      <section className="atk-panel-section">
        <h3>{t('fingerprints')}</h3>
        <div className="atk-chips">
          {fingerprints.length === 0 ? <span className="none">{t('unknown')}</span> : fingerprints.map((x) => <span key={x} className="atk-tag"><Inert text={x} /></span>)}
        </div>
        <p className="atk-sub">
          {t('accounts')}: {f.exact(accounts)}
        </p>
      </section>
      <Traits of={a} />
    </>
  );
}

function Networks({ list }: { list: NonNullable<Attack['actors']['networks']> }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  return (
    <section className="atk-panel-section">
      <h3>{t('networks')}</h3>
      <Table
        size="small"
        pagination={false}
        rowKey="asn"
        scroll={{ x: 'max-content' }}
        dataSource={list}
        columns={[
          { key: 'asn', title: 'ASN', render: (_, n) => <Chip kind="asn" value={`AS${n.asn}`} /> },
          { key: 'who', title: t('operator'), render: (_, n) => (n.organisation ? <Inert text={n.organisation} /> : <span className="none">{t('unknown')}</span>) },
          { key: 'country', title: t('countries'), render: (_, n) => [n.country, n.region].filter(Boolean).join(' · ') || '–' },
          { key: 'type', title: t('networkTypes'), render: (_, n) => (n.type ? name('network_type', n.type) : '–') },
          { key: 'ips', title: t('ips'), align: 'right', render: (_, n) => f.exact(n.ips) },
        ]}
      />
    </section>
  );
}

function Traits({ of: a }: { of: Attack }) {
  const t = useText(text);
  const f = useFormat();
  const lang = useLang();
  const list = a.signature.filter((s) => s.share >= 0.05).slice(0, 12);
  if (list.length === 0) return null;
  return (
    <section className="atk-panel-section">
      <h3>{t('traits')}</h3>
      <p className="atk-sub">{t('traitsIntro')}</p>
      <Table
        size="small"
        pagination={false}
        rowKey={(s) => `${s.key} ${s.value}`}
        scroll={{ x: 'max-content' }}
        dataSource={list}
        columns={[
          { key: 'key', title: t('trait'), render: (_, s) => wordOf(traits, s.key, lang) },
          { key: 'value', title: t('value'), render: (_, s) => (s.key === 'ip' ? <Chip kind="client" value={s.value} /> : s.key === 'prefix' ? <Chip kind="prefix" value={s.value} /> : <Inert code text={s.value} />) },
          { key: 'share', title: t('inAttack'), align: 'right', render: (_, s) => f.percent(s.share) },
          { key: 'others', title: t('elsewhere'), align: 'right', render: (_, s) => t('othersOf', { n: f.exact(s.others), of: f.exact(s.of) }) },
        ]}
      />
    </section>
  );
}
