import { Skeleton } from 'antd';
import type { EChartsCoreOption } from 'echarts/core';
import { useEffect, useRef, useState } from 'react';
import { usePreferences } from '../preferences';
import { palette } from './palette';

type Draw = typeof import('./draw');

/**
 * Chart draws with ECharts, which is fetched when the first chart is seen. label
 * says what is to be seen, for those who do not see it. pick is called with what
 * was clicked.
 */
export function Chart({
  option,
  height,
  label,
  pick,
  brush,
}: {
  option: EChartsCoreOption;
  height: number;
  label: string;
  pick?: (event: { name: string; seriesName?: string; dataIndex: number; data: unknown }) => void;
  brush?: (from: number, to: number) => void; // a period of the time axis was chosen
}) {
  const { dark } = usePreferences();
  const frame = useRef<HTMLDivElement>(null);
  const [draw, setDraw] = useState<Draw>();
  const [failed, setFailed] = useState(false);
  const drawn = useRef<ReturnType<Draw['begin']>>(undefined);
  const pickRef = useRef(pick);
  const brushRef = useRef(brush);
  pickRef.current = pick;
  brushRef.current = brush;

  useEffect(() => {
    let gone = false;
    import('./draw').then(
      (d) => !gone && setDraw(d),
      () => !gone && setFailed(true),
    );
    return () => {
      gone = true;
    };
  }, []);

  useEffect(() => {
    if (!draw || !frame.current) return;
    const chart = draw.begin(frame.current, palette(dark), {
      pick: (e) => pickRef.current?.(e),
      brush: brushRef.current ? (a, b) => brushRef.current?.(a, b) : undefined,
    });
    drawn.current = chart;
    const watch = new ResizeObserver(() => chart.resize());
    watch.observe(frame.current);
    return () => {
      watch.disconnect();
      drawn.current = undefined;
      chart.end();
    };
  }, [draw, dark]);

  useEffect(() => {
    drawn.current?.show(option);
  }, [option, draw, dark]);

  if (failed) return <div className="chart-failed">{label}</div>;
  return (
    <div className="chart" style={{ height }} role="img" aria-label={label}>
      {!draw && <Skeleton.Node active style={{ width: '100%', height }} />}
      <div ref={frame} style={{ height, display: draw ? 'block' : 'none' }} />
    </div>
  );
}
