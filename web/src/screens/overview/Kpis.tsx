import { Tooltip } from 'antd';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { levels } from '../../parts/Tags';
import { useFormat } from '../../parts/useFormat';
import { useName, useText } from '../../text/text';
import { links, type Scope } from './links';
import { text } from './text';
import type { Figures } from './useOverview';

type Pair = { value: number; before: number };

/** The six figures; each leads to what it counts. */
export function Kpis({ of, scope }: { of: Figures; scope: Scope }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const rows = of.rows;
  const severities = levels.filter((l) => (of.defects.severity[l] ?? 0) > 0);
  return (
    <section className="kpis" aria-label={t('kpis')}>
      <Kpi to={links.apis(scope)} title={t('apis')} of={of.apis}>
        {t('apisOf')}
      </Kpi>
      <Kpi to={links.newApis(scope)} title={t('newApis')} of={of.new_apis} more="note">
        {t('newApisOf')}
      </Kpi>
      <Kpi to={links.records(scope)} title={t('records')} of={rows?.records} more="note" tone={rows && rows.people.value > 0 ? 'high' : undefined}>
        {rows && t('recordsOf', { n: f.number(rows.people.value) })}
      </Kpi>
      <Kpi to={links.defects(scope)} title={t('defects')} of={of.defects} more="bad" atStart tone={of.defects.severity.critical ? 'critical' : undefined}>
        {severities.length > 0 ? (
          <span className="kpi-levels">
            {severities.map((l) => (
              <span key={l} className={`level level-${l}`}>
                {name('severity', l)} {f.number(of.defects.severity[l]!)}
              </span>
            ))}
          </span>
        ) : (
          t('defectsNew', { n: f.number(of.defects.new) })
        )}
      </Kpi>
      <Kpi to={links.campaigns(scope)} title={t('campaigns')} of={of.campaigns} more="bad" tone={of.campaigns.value > 0 ? 'high' : undefined}>
        {t('campaignsOf', { n: f.number(of.attacks.value) })}
      </Kpi>
      <Kpi to={links.blocked(scope)} title={t('blocked')} of={rows?.requests.blocked}>
        {rows && t('blockedOf', { attack: f.number(rows.requests.attack.value), suspicious: f.number(rows.requests.suspicious.value) })}
      </Kpi>
    </section>
  );
}

function Kpi({
  title,
  of,
  to,
  more,
  atStart,
  tone,
  children,
}: {
  title: string;
  of?: Pair; // absent: not known here
  to: string;
  more?: 'bad' | 'note'; // what it means that there are more
  atStart?: boolean; // compared with the beginning of the period, not with the one before
  tone?: 'critical' | 'high';
  children: ReactNode;
}) {
  const t = useText(text);
  const f = useFormat();
  if (!of) {
    return (
      <div className="kpi">
        <span className="kpi-title">{title}</span>
        <span className="kpi-value none">–</span>
        <span className="kpi-more">{t('noRows')}</span>
      </div>
    );
  }
  const said = t(atStart ? 'atStart' : 'before', { n: f.exact(of.before) });
  return (
    <Tooltip title={`${f.exact(of.value)} · ${said}`} mouseEnterDelay={0.4}>
      <Link to={to} className={`kpi ${tone ? `kpi-${tone}` : ''}`}>
        <span className="kpi-title">{title}</span>
        <span className="kpi-line">
          <span className="kpi-value">{f.number(of.value)}</span> <Delta of={of} more={more} />
        </span>
        <span className="kpi-more">{children}</span>
      </Link>
    </Tooltip>
  );
}

/** Delta says how much more or less it is than before, in a word for those who only hear it. */
function Delta({ of, more }: { of: Pair; more?: 'bad' | 'note' }) {
  const t = useText(text);
  const f = useFormat();
  const d = of.value - of.before;
  if (d === 0) return <span className="delta" aria-label={t('same')}>=</span>;
  if (of.before === 0) return <span className="delta" aria-label={t('none')}>{`+${f.number(d)}`}</span>;
  const share = Math.abs(d) / of.before;
  const change = share > 9.99 ? f.number(Math.abs(d)) : f.percent(share);
  const tone = more === 'bad' ? (d > 0 ? 'delta-worse' : 'delta-better') : '';
  return (
    <span className={`delta ${tone}`} aria-label={t(d > 0 ? 'up' : 'down', { change })}>
      <span aria-hidden="true">{d > 0 ? '▲' : '▼'}</span> {change}
    </span>
  );
}
