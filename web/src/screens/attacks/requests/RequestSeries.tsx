import { useMemo } from 'react';
import { api, type Schemas } from '../../../api/client';
import { Chart } from '../../../charts/Chart';
import { palette } from '../../../charts/palette';
import { usePreferences } from '../../../preferences';
import { useUrl } from '../../../parts/url';
import { useFormat } from '../../../parts/useFormat';
import { useLang, useText } from '../../../text/text';
import { offsetOf, stepOf } from '../steps';
import { text } from '../text';
import { rowVerdicts } from '../words';
import type { RowQuery } from './query';

const order = ['normal', 'suspicious', 'attack'] as const;

/** RequestSeries shows over time what is listed below; a stretch can be picked. */
export function RequestSeries({ query }: { query: RowQuery & { from: string; to: string } }) {
  const t = useText(text);
  const f = useFormat();
  const lang = useLang();
  const url = useUrl();
  const { dark, zone } = usePreferences();
  const q = api.useQuery(
    'get', '/api/v1/observations/series',
    { params: { query: { ...query, step: stepOf(query.from, query.to), by: 'verdict', offset: offsetOf(zone, Date.parse(query.from)) } } },
    { placeholderData: (before) => before, retry: false },
  );
  const p = palette(dark);
  const option = useMemo(() => {
    const colors = { normal: p.normal, suspicious: p.suspicious, attack: p.attack };
    return {
      grid: { left: 8, right: 8, top: 26, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 8, icon: 'rect' },
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
      brush: { xAxisIndex: 0, toolbox: [], brushStyle: { color: 'rgba(14,95,118,.15)', borderColor: p.accent } },
      xAxis: { type: 'time', min: query.from, max: query.to },
      yAxis: { type: 'value', splitNumber: 3, minInterval: 1 },
      series: order.map((v) => ({
        type: 'bar', stack: 'all', barMaxWidth: 22, name: rowVerdicts[v][lang], itemStyle: { color: colors[v] },
        data: (q.data?.starts ?? []).map((at, i) => [Date.parse(at), line(q.data, v)?.values[i] ?? 0]),
      })),
    };
  }, [q.data, p, lang, query.from, query.to]);
  if (!q.data) return null;
  const total = (v: string) => f.exact(line(q.data, v)?.total ?? 0);
  return (
    <section className="card atk-trend">
      <div className="atk-trend-head">
        <h2>{t('series')}</h2>
        <span className="atk-sub">{t('trendHint')}</span>
      </div>
      <Chart
        height={140}
        label={t('seriesLabel', { normal: total('normal'), suspicious: total('suspicious'), attack: total('attack') })}
        option={option}
        brush={(a, b) => b - a >= 1000 && url.set({ range: null, from: new Date(a).toISOString(), to: new Date(b).toISOString() })}
      />
    </section>
  );
}

const line = (s: Schemas['Series'] | undefined, key: string) => s?.lines.find((l) => l.key === key && !l.rest);
