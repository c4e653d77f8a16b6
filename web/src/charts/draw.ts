import { BarChart, GraphChart, HeatmapChart, LineChart, PieChart, SankeyChart, ScatterChart } from 'echarts/charts';
import {
  AriaComponent, BrushComponent, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent,
  VisualMapComponent,
} from 'echarts/components';
import { init, use, type EChartsCoreOption } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { Palette } from './palette';

use([
  BarChart, GraphChart, HeatmapChart, LineChart, PieChart, SankeyChart, ScatterChart,
  AriaComponent, BrushComponent, DataZoomComponent, GridComponent, LegendComponent, MarkAreaComponent, MarkLineComponent, TooltipComponent,
  VisualMapComponent, CanvasRenderer,
]);

export type Handlers = {
  pick: (event: { name: string; seriesName?: string; dataIndex: number; data: unknown }) => void;
  brush?: (from: number, to: number) => void;
};

/** begin starts a chart in a frame; tooltips are text, never markup of values. */
export function begin(frame: HTMLElement, p: Palette, on: Handlers) {
  const axis = { axisLine: { lineStyle: { color: p.line } }, axisLabel: { color: p.soft }, splitLine: { lineStyle: { color: p.line } }, nameTextStyle: { color: p.soft } };
  const chart = init(frame, {
    color: p.series,
    backgroundColor: 'transparent',
    textStyle: { color: p.ink, fontFamily: 'system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif' },
    legend: { textStyle: { color: p.soft } },
    timeAxis: axis, valueAxis: axis, categoryAxis: axis, logAxis: axis,
    line: { symbol: 'none' },
  });
  chart.on('click', (e) => on.pick({ name: e.name, seriesName: e.seriesName, dataIndex: e.dataIndex, data: e.data }));
  if (on.brush) {
    chart.on('brushEnd', (e) => {
      const area = (e as { areas?: { coordRange?: [number, number] }[] }).areas?.[0]?.coordRange;
      if (area) on.brush!(Math.min(...area), Math.max(...area));
    });
  }
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  return {
    show(option: EChartsCoreOption) {
      chart.setOption(
        {
          animation: !calm, animationDuration: 250,
          aria: { enabled: false }, // the frame says what is to be seen
          tooltip: { renderMode: 'richText', confine: true, backgroundColor: p.paper, borderColor: p.line, textStyle: { color: p.ink } },
          ...option,
        },
        { notMerge: true },
      );
      if (on.brush) {
        chart.dispatchAction({ type: 'takeGlobalCursor', key: 'brush', brushOption: { brushType: 'lineX', brushMode: 'single' } });
      }
    },
    resize: () => chart.resize(),
    end: () => chart.dispose(),
  };
}
