import type { EChartsCoreOption } from 'echarts/core';
import { useMemo } from 'react';
import { api } from '../../api/client';
import { Chart } from '../../charts/Chart';
import { palette } from '../../charts/palette';
import { useFormat } from '../../parts/useFormat';
import { useUrl } from '../../parts/url';
import { usePreferences } from '../../preferences';
import { useText } from '../../text/text';
import { Card, scopeOf, State, type Asked } from './Side';
import { text } from './text';

const steps = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** How many personal records went out in the period, and when. */
export function Given(asked: Asked) {
  const t = useText(text);
  const f = useFormat();
  const url = useUrl();
  const { dark } = usePreferences();
  const { step, offset, ready } = asked.period;
  const q = api.useQuery(
    'get', '/api/v1/observations/series',
    { params: { query: { ...scopeOf(asked), step, offset, measure: 'subjects', by: 'verdict' } } },
    { enabled: ready, placeholderData: (b) => b },
  );
  const data = q.data;
  const total = data?.lines.reduce((n, l) => n + l.total, 0) ?? 0;
  const taken = data?.lines.find((l) => l.key === 'attack')?.total ?? 0;
  const option = useMemo((): EChartsCoreOption | undefined => {
    if (!data) return undefined;
    const p = palette(dark);
    const at = data.starts.map((s) => Date.parse(s));
    const sum = (pick: (key: string) => boolean) => at.map((ms, i) => [ms, data.lines.filter((l) => pick(l.key)).reduce((n, l) => n + l.values[i]!, 0)]);
    return {
      grid: { left: 2, right: 6, top: 8, bottom: 2, containLabel: true },
      brush: { xAxisIndex: 0, transformable: false, brushStyle: { color: 'rgba(14,95,118,0.15)', borderColor: p.accent, borderWidth: 1 } },
      tooltip: {
        trigger: 'axis', renderMode: 'richText', confine: true, backgroundColor: p.paper, borderColor: p.line, textStyle: { color: p.ink },
        formatter: (list: unknown) => {
          const rows = list as { value: [number, number] }[];
          return rows[0] ? `${f.timeIn(rows[0].value[0], step === 'day' ? 'day' : 'minute')}\n${f.number(rows.reduce((n, r) => n + r.value[1], 0))}` : '';
        },
      },
      xAxis: { type: 'time', axisLabel: { color: p.soft, hideOverlap: true, formatter: (ms: number) => (step === 'day' ? f.time(ms).slice(5, 10) : f.time(ms).slice(11)) }, axisLine: { lineStyle: { color: p.line } }, splitLine: { show: false } },
      yAxis: { type: 'value', minInterval: 1, splitNumber: 3, axisLabel: { color: p.soft, formatter: f.number }, splitLine: { lineStyle: { color: p.line } } },
      series: [
        { type: 'bar', stack: 'all', color: p.attack, barCategoryGap: '12%', data: sum((k) => k === 'attack') },
        { type: 'bar', stack: 'all', color: p.normal, barCategoryGap: '12%', data: sum((k) => k !== 'attack') },
      ],
    };
  }, [data, dark, f, step]);
  return (
    <Card title={t('given')}>
      <State q={q} />
      {data && (
        <>
          <p className="given">
            <b className="given-sum">{t('givenSum', { n: f.number(total) })}</b>
            {taken > 0 && <span className="taken-part">{t('givenTo', { n: f.number(taken) })}</span>}
          </p>
          {total > 0 && option && (
            <>
              <Chart
                option={option}
                height={130}
                label={t('givenSaid', { from: f.time(asked.period.from), to: f.time(asked.period.to) })}
                brush={(from, to) => {
                  const touched = data.starts.map((s) => Date.parse(s)).filter((s) => s + steps[step] > from && s < to);
                  if (touched.length > 0) {
                    url.set({ range: null, from: new Date(touched[0]!).toISOString(), to: new Date(touched.at(-1)! + steps[step]).toISOString() }, { push: true });
                  }
                }}
              />
              <p className="soft hint">{t('brush')}</p>
            </>
          )}
        </>
      )}
    </Card>
  );
}
