import { Skeleton } from 'antd';
import type { EChartsCoreOption } from 'echarts/core';
import { useMemo } from 'react';
import { api } from '../../api/client';
import { Chart } from '../../charts/Chart';
import { palette } from '../../charts/palette';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { usePreferences } from '../../preferences';
import { useText } from '../../text/text';
import { monthsOf } from './months';
import { text } from './text';
import type { Figures } from './useOverview';

/** How many APIs were attacked in each month, with the means of quarters and years. */
export function Months({ of, site }: { of: Figures; site?: string }) {
  const t = useText(text);
  const f = useFormat();
  const { dark } = usePreferences();
  const q = api.useQuery('get', '/api/v1/counts/attacked', { params: { query: { from: of.from, to: of.to, site } } }, { staleTime: 60_000 });
  const last = f.time(of.seen ?? of.to, 'month');
  const months = useMemo(() => monthsOf(q.data?.months ?? [], last), [q.data, last]);
  const option = useMemo((): EChartsCoreOption => {
    const p = palette(dark);
    const one = (n: number) => Math.round(n * 10) / 10;
    return {
      grid: { left: 4, right: 8, top: 34, bottom: 4, containLabel: true },
      legend: { top: 0, left: 0, itemWidth: 16, itemHeight: 10, textStyle: { color: p.soft } },
      tooltip: { trigger: 'axis', renderMode: 'richText', confine: true, backgroundColor: p.paper, borderColor: p.line, textStyle: { color: p.ink } },
      xAxis: { type: 'category', data: months.map((m) => m.month), axisLabel: { color: p.soft }, axisLine: { lineStyle: { color: p.line } }, axisTick: { show: false } },
      yAxis: { type: 'value', minInterval: 1, axisLabel: { color: p.soft }, splitLine: { lineStyle: { color: p.line } } },
      series: [
        {
          name: t('apisAttacked'), type: 'bar', color: p.attack, barMaxWidth: 36, label: { show: months.length <= 24, position: 'top', color: p.ink },
          data: months.map((m) => ({ value: m.n, itemStyle: m.month === last ? { opacity: 0.6 } : undefined })),
        },
        { name: t('quarterMean'), type: 'line', step: 'middle', symbol: 'none', color: p.series[2], data: months.map((m) => one(m.quarter)) },
        { name: t('yearMean'), type: 'line', step: 'middle', symbol: 'none', color: p.soft, lineStyle: { type: 'dashed' }, data: months.map((m) => one(m.year)) },
      ],
    };
  }, [months, dark, t, last]);
  return (
    <section className="card">
      <h2>
        {t('months')} <span className="soft">{months.some((m) => m.month === last) && `${last}: ${t('thisMonth')}`}</span>
      </h2>
      {q.error ? <TroubleView small error={q.error} retry={q.refetch} /> : q.isPending ? <Skeleton active /> : null}
      {q.data && months.length === 0 ? <p className="soft">{t('noAttacks')}</p> : null}
      {months.length > 0 && <Chart option={option} height={240} label={t('monthsSaid', { n: months.length })} />}
      {(q.data?.left_out ?? 0) > 0 && <p className="soft">{t('monthsLeft', { n: f.number(q.data!.left_out) })}</p>}
    </section>
  );
}
