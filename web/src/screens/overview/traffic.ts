import type { EChartsCoreOption } from 'echarts/core';
import type { Palette } from '../../charts/palette';
import type { Figures } from './useOverview';

export type Traffic = NonNullable<Figures['rows']>['traffic'];

const steps = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** chosen gives the whole steps that a brushed stretch touches. */
export function chosen(from: number, to: number, starts: readonly string[], step: keyof typeof steps): { from: string; to: string } | undefined {
  const touched = starts.map((s) => Date.parse(s)).filter((s) => s + steps[step] > from && s < to);
  if (touched.length === 0) return undefined;
  return { from: new Date(touched[0]!).toISOString(), to: new Date(touched.at(-1)! + steps[step]).toISOString() };
}

export type Words = { normal: string; suspicious: string; attack: string; blocked: string };

/**
 * trafficOption stacks what traffic was judged to be; what is bad lies at the
 * bottom, where it can be read. What was blocked is part of the stack, so it is a line.
 */
export function trafficOption(
  of: Traffic,
  how: { palette: Palette; words: Words; bad: boolean; number: (n: number) => string; time: (ms: number) => string; axis: (ms: number) => string; large?: boolean },
): EChartsCoreOption {
  const { palette: p, words } = how;
  const at = of.starts.map((s) => Date.parse(s));
  const few = at.length <= 120;
  const stacked = (name: string, color: string, values: readonly number[]) => ({
    name, color, stack: 'all', data: values.map((v, i) => [at[i], v]),
    ...(few ? { type: 'bar', barCategoryGap: '12%' } : { type: 'line', step: 'start', symbol: 'none', lineStyle: { width: 0 }, areaStyle: { color, opacity: 1 } }),
  });
  const size = how.large ? 16 : 12;
  return {
    grid: { left: 4, right: 8, top: 34, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: p.soft, fontSize: size } },
    brush: { xAxisIndex: 0, brushStyle: { color: 'rgba(14,95,118,0.15)', borderColor: p.accent, borderWidth: 1 }, transformable: false, throttleType: 'debounce' },
    tooltip: {
      trigger: 'axis', renderMode: 'richText', confine: true, backgroundColor: p.paper, borderColor: p.line, textStyle: { color: p.ink },
      formatter: (list: unknown) => {
        const rows = list as { seriesName: string; value: [number, number] }[];
        if (!rows[0]) return '';
        return [how.time(rows[0].value[0]), ...rows.map((r) => `${r.seriesName}  ${how.number(r.value[1])}`)].join('\n');
      },
    },
    xAxis: { type: 'time', axisLabel: { color: p.soft, hideOverlap: true, fontSize: size, formatter: how.axis }, axisLine: { lineStyle: { color: p.line } }, splitLine: { show: false } },
    yAxis: { type: 'value', minInterval: 1, axisLabel: { color: p.soft, fontSize: size, formatter: how.number }, splitLine: { lineStyle: { color: p.line } } },
    series: [
      stacked(words.attack, p.attack, of.attack),
      stacked(words.suspicious, p.suspicious, of.suspicious),
      ...(how.bad ? [] : [stacked(words.normal, p.normal, of.normal)]),
      {
        name: words.blocked, type: 'line', color: p.blocked, step: few ? 'middle' : 'start', symbol: 'none', lineStyle: { width: 1.5, type: 'dashed' },
        data: of.blocked.map((v, i) => [at[i], v]), z: 5,
      },
    ],
  };
}
