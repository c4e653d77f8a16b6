import { useMemo } from 'react';
import type { Schemas } from '../../api/client';
import { Bars } from '../../charts/Bars';
import { Chart } from '../../charts/Chart';
import { palette } from '../../charts/palette';
import { Chip } from '../../parts/Chip';
import { ApiChip, AttackChip } from '../../parts/Known';
import { Teach } from '../../parts/Teach';
import { useFormat } from '../../parts/useFormat';
import { When } from '../../parts/When';
import { usePreferences } from '../../preferences';
import { useText } from '../../text/text';
import { text } from './text';

type Seen = Schemas['EntityRows'];

/** Rows shows what single requests tell of an entity. */
export function Rows({ of: r }: { of: Seen }) {
  const t = useText(text);
  const f = useFormat();
  if (r.rows === 0) return <Teach title={t('notSeen')}>{t('notSeenDo')}</Teach>;
  return (
    <>
      <section className="intel-section">
        <h3>{t('seen')}</h3>
        <div className="intel-bar">
          <span>
            {t('requests')} <strong>{f.exact(r.rows)}</strong>
          </span>
          <span className="intel-sub">
            {t('firstSeen')} <When at={r.first} />
          </span>
          <span className="intel-sub">
            {t('lastSeen')} <When at={r.last} />
          </span>
        </div>
        <Shares of={r} />
        <Sightings of={r} />
      </section>
      <div className="intel-two">
        <section>
          <h4>{t('sites')}</h4>
          <Bars rows={r.sites.map((s) => ({ key: s.key, label: <Chip kind="site" value={s.key} />, value: s.value, text: f.number(s.value) }))} />
        </section>
        <section>
          <h4>{t('apis')}</h4>
          <Bars rows={r.apis.map((s) => ({ key: s.key, label: <ApiChip id={s.key} />, value: s.value, text: f.number(s.value) }))} />
        </section>
      </div>
      <With of={r} />
    </>
  );
}

function Shares({ of: r }: { of: Seen }) {
  const t = useText(text);
  const f = useFormat();
  const parts = [
    ['normal', r.verdicts.normal, 'intel-normal'],
    ['suspicious', r.verdicts.suspicious, 'intel-suspicious'],
    ['ofAttacks', r.verdicts.attack, 'intel-attack'],
  ] as const;
  const said = parts.map(([id, n]) => `${t(id)} ${f.percent(n / r.rows)}`).join(' · ');
  return (
    <>
      <div className="intel-shares" role="img" aria-label={`${t('verdicts')}: ${said}`}>
        {parts.map(([id, n, tone]) => (
          <span key={id} className={tone} style={{ width: `${(100 * n) / r.rows}%` }} />
        ))}
      </div>
      <p className="intel-sub">
        {t('verdicts')}: {said}. {t('verdictsWhy')}
      </p>
    </>
  );
}

function Sightings({ of: r }: { of: Seen }) {
  const t = useText(text);
  const f = useFormat();
  const { dark } = usePreferences();
  const p = palette(dark);
  const s = r.sightings;
  const option = useMemo(() => {
    const line = (name: string, values: readonly number[], color: string) => ({
      type: 'bar', stack: 'all', barMaxWidth: 16, name, itemStyle: { color }, data: values.map((v, i) => [Date.parse(s.starts[i]!), v]),
    });
    return {
      grid: { left: 8, right: 8, top: 26, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 8, icon: 'rect' },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      xAxis: { type: 'time' },
      yAxis: { type: 'value', splitNumber: 3, minInterval: 1 },
      series: [line(t('normal'), s.normal, p.normal), line(t('suspicious'), s.suspicious, p.suspicious), line(t('ofAttacks'), s.attack, p.attack)],
    };
  }, [s, p, t]);
  const sum = (list: readonly number[]) => f.exact(list.reduce((a, b) => a + b, 0));
  return <Chart height={150} label={t('sightingsLabel', { normal: sum(s.normal), suspicious: sum(s.suspicious), attack: sum(s.attack) })} option={option} />;
}

function With({ of: r }: { of: Seen }) {
  const t = useText(text);
  const f = useFormat();
  const facets = r.facets.filter((x) => x.top.length > 0);
  if (facets.length === 0) return null;
  return (
    <section className="intel-section">
      <h3>{t('seenWith')}</h3>
      <div className="intel-two">
        {facets.map((x) => (
          <div key={x.dimension}>
            <h4>
              {x.dimension in text ? t(x.dimension as keyof typeof text) : x.dimension} · {t('distinct', { n: f.exact(x.distinct) })}
            </h4>
            <Bars rows={x.top.slice(0, 6).map((s) => ({ key: s.key, label: <Seen kind={x.dimension} value={s.key} />, value: s.rows, text: f.number(s.rows) }))} />
          </div>
        ))}
      </div>
    </section>
  );
}

function Seen({ kind, value }: { kind: Schemas['Dimension']; value: string }) {
  switch (kind) {
    case 'api':
      return <ApiChip id={value} />;
    case 'attack':
      return <AttackChip id={value} />;
    case 'client':
    case 'network':
    case 'country':
    case 'site':
      return <Chip kind={kind} value={value} />;
    case 'actor':
    case 'account':
    case 'session':
    case 'agent':
      return <Chip kind={kind} value={value} label={value.slice(0, 12)} />;
  }
  return <span>{value}</span>;
}
