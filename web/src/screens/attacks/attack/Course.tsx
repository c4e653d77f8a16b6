import { useMemo } from 'react';
import { api, type Schemas } from '../../../api/client';
import { Chart } from '../../../charts/Chart';
import { palette, type Palette } from '../../../charts/palette';
import { usePreferences } from '../../../preferences';
import { useFormat } from '../../../parts/useFormat';
import { useText } from '../../../text/text';
import { daysFrom } from '../days';
import { around, offsetOf, stepOf } from '../steps';
import { text } from '../text';

type Attack = Schemas['Attack'];
type Points = { starts: (string | number)[]; ok: number[]; blocked: number[]; rest: number[] };

const blockedOutcomes = ['denied', 'throttled'];

/** Course shows how an attack went: by the minute or hour from its requests, else by day. */
export function Course({ of: a }: { of: Attack }) {
  const t = useText(text);
  const f = useFormat();
  const { dark, zone } = usePreferences();
  const span = around(a.first_seen, a.last_seen);
  const q = api.useQuery('get', '/api/v1/observations/series', {
    params: { query: { ...span, finding: a.id, step: stepOf(span.from, span.to), by: 'outcome', lines: 20, offset: offsetOf(zone, Date.parse(span.from)) } },
  }, { retry: false });
  const points = useMemo(() => (q.data && q.data.lines.length > 0 ? fromSeries(q.data) : fromDays(a)), [q.data, a]);
  const sum = (list: number[]) => f.exact(list.reduce((x, y) => x + y, 0));
  const p = palette(dark);
  const names = { ok: t('succeeded'), blocked: t('blocked'), rest: t('otherAnswers') };
  const option = useMemo(() => chart(points, p, names), [points, p, names.ok]); // eslint-disable-line react-hooks/exhaustive-deps
  if (points.starts.length === 0) return null;
  return (
    <section className="atk-panel-section">
      <h3>{t('activity')}</h3>
      <Chart height={170} label={t('activityLabel', { ok: sum(points.ok), blocked: sum(points.blocked), rest: sum(points.rest) })} option={option} />
    </section>
  );
}

function chart(points: Points, p: Palette, names: { ok: string; blocked: string; rest: string }) {
  const times = typeof points.starts[0] === 'number';
  const line = (name: string, values: number[], color: string) => ({
    type: 'bar', stack: 'all', barMaxWidth: 16, name, itemStyle: { color },
    data: times ? values.map((v, i) => [points.starts[i], v]) : values,
  });
  return {
    grid: { left: 8, right: 8, top: 26, bottom: 4, containLabel: true },
    legend: { top: 0, left: 0, itemWidth: 12, itemHeight: 8, icon: 'rect' },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
    xAxis: times ? { type: 'time' } : { type: 'category', data: points.starts },
    yAxis: { type: 'value', splitNumber: 3, minInterval: 1 },
    series: [line(names.ok, points.ok, p.attack), line(names.blocked, points.blocked, p.blocked), line(names.rest, points.rest, p.normal)],
  };
}

export function fromSeries(s: Schemas['Series']): Points {
  const zeros = () => s.starts.map(() => 0);
  const out: Points = { starts: s.starts.map((x) => Date.parse(x)), ok: zeros(), blocked: zeros(), rest: zeros() };
  for (const l of s.lines) {
    const into = l.key === 'success' ? out.ok : blockedOutcomes.includes(l.key) ? out.blocked : out.rest;
    l.values.forEach((v, i) => (into[i]! += v));
  }
  return out;
}

export function fromDays(a: Pick<Attack, 'activity'>): Points {
  const days = a.activity.map((x) => x.day).sort();
  const first = days[0];
  const last = days.at(-1);
  if (!first || !last) return { starts: [], ok: [], blocked: [], rest: [] };
  const all = daysFrom(first, Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000) + 1);
  const at = new Map(all.map((d, i) => [d, i]));
  const out: Points = { starts: all, ok: all.map(() => 0), blocked: all.map(() => 0), rest: all.map(() => 0) };
  for (const x of a.activity) {
    const i = at.get(x.day)!;
    out.ok[i]! += x.succeeded;
    out.blocked[i]! += x.blocked;
    out.rest[i]! += Math.max(0, x.requests - x.succeeded - x.blocked);
  }
  return out;
}
