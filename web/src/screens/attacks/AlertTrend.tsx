import { useMemo } from 'react';
import { api } from '../../api/client';
import { Chart } from '../../charts/Chart';
import { palette } from '../../charts/palette';
import { usePreferences } from '../../preferences';
import { inZone } from '../../parts/FilterBar';
import { useUrl } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { useName, useText } from '../../text/text';
import { text } from './text';
import { dayAfter, daysFrom, daysShown } from './days';
import type { AttackQuery } from './useAttackQuery';

/** AlertTrend shows by day what the listed attacks asked for; a stretch can be picked. */
export function AlertTrend({ query }: { query: AttackQuery }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const url = useUrl();
  const { dark, zone } = usePreferences();
  const q = api.useQuery('get', '/api/v1/counts/activity', { params: { query: { ...query, by: 'kind', lines: 8 } } }, { placeholderData: (before) => before });
  const p = palette(dark);
  const { option, days } = useMemo(() => {
    const lines = q.data?.lines ?? [];
    const shown = daysShown(daysFrom(q.data?.first, q.data?.days ?? 0), query.from, query.to);
    return {
      days: shown.days,
      option: {
        grid: { left: 8, right: 8, top: 26, bottom: 4, containLabel: true },
        legend: { top: 0, left: 0, type: 'scroll', itemWidth: 12, itemHeight: 8, icon: 'rect' },
        tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
        brush: { xAxisIndex: 0, toolbox: [], brushStyle: { color: 'rgba(14,95,118,.15)', borderColor: p.accent } },
        xAxis: { type: 'category', data: shown.days, axisTick: { show: false } },
        yAxis: { type: 'value', splitNumber: 3, minInterval: 1 },
        series: lines.map((l, i) => ({
          type: 'bar', stack: 'all', barMaxWidth: 22,
          name: l.rest ? t('others') : name('attack_kind', l.key),
          itemStyle: { color: l.rest ? p.soft : p.series[i % p.series.length] },
          data: shown.pick(l.requests),
        })),
      },
    };
  }, [q.data, query.from, query.to, p, name, t]);
  const total = (q.data?.lines ?? []).reduce((sum, l) => sum + l.requests.reduce((a, b) => a + b, 0), 0);
  if (!q.data || total === 0) return null;
  return (
    <section className="card atk-trend">
      <div className="atk-trend-head">
        <h2>{t('trend')}</h2>
        <span className="atk-sub">{t('trendHint')}</span>
        {q.data.left_out > 0 && <span className="atk-sub">{t('trendPart', { n: f.exact(q.data.attacks) })}</span>}
      </div>
      <Chart
        height={150}
        label={t('trendLabel', { n: f.exact(total) })}
        option={option}
        brush={(a, b) => {
          const [i, j] = [Math.max(0, Math.round(a)), Math.min(days.length - 1, Math.round(b))];
          if (days[i] && days[j]) url.set({ range: null, from: inZone(`${days[i]}T00:00:00`, zone), to: inZone(`${dayAfter(days[j])}T00:00:00`, zone) });
        }}
      />
    </section>
  );
}
