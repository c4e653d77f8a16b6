import { Button, Segmented } from 'antd';
import { useMemo, useState } from 'react';
import { api, type Schemas } from '../../../api/client';
import { Chart } from '../../../charts/Chart';
import { palette } from '../../../charts/palette';
import { usePreferences } from '../../../preferences';
import { Chip } from '../../../parts/Chip';
import { inZone } from '../../../parts/FilterBar';
import { Sentence } from '../../../parts/Sentence';
import { useUrl } from '../../../parts/url';
import { useFormat } from '../../../parts/useFormat';
import { When } from '../../../parts/When';
import { inert } from '../../../text/inert';
import { useName, useText } from '../../../text/text';
import { dayAfter } from '../days';
import { text } from '../text';
import { lanesOf, periodOf, stepAt, type Lane } from './lanes';

type Campaign = Schemas['Campaign'];
type By = 'site' | 'kind' | 'attack';

const shownEvents = 12;

/** Timeline has a lane for each site, kind or attack; a stretch of it can be picked. */
export function Timeline({ of: c }: { of: Campaign }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const url = useUrl();
  const { dark, zone } = usePreferences();
  const [by, setBy] = useState<By>(c.sites.length > 1 ? 'site' : c.kinds.length > 1 ? 'kind' : 'attack');
  const q = api.useQuery('get', '/api/v1/counts/activity', { params: { query: { campaign: c.id, by, lines: 60 } } }, { placeholderData: (before) => before });
  const lanes = useMemo(() => lanesOf(q.data ?? { days: 0, lines: [], attacks: 0, left_out: 0 }), [q.data]);
  const p = palette(dark);
  const option = useMemo(() => {
    const label = (l: Lane) => (l.rest ? t('others') : by === 'kind' ? name('attack_kind', l.key) : by === 'attack' ? `${lanes.starts[l.values.findIndex((v) => v > 0)] ?? ''} ${l.key.slice(0, 6)}` : inert(l.key));
    const rows = [...lanes.lanes].reverse(); // the first stands at the top
    const most = Math.max(1, ...rows.flatMap((l) => l.values));
    const top = rows.length - 1;
    const mark = { start: p.accent, spread: p.series[2]!, peak: p.suspicious, success: p.attack, blocked: p.blocked, end: p.soft };
    return {
      grid: { left: 8, right: 16, top: 24, bottom: 4, containLabel: true },
      tooltip: { trigger: 'item' },
      xAxis: { type: 'category', data: lanes.labels, axisTick: { show: false }, splitArea: { show: false } },
      yAxis: { type: 'category', data: rows.map(label), axisTick: { show: false }, axisLine: { show: false }, axisLabel: { width: 130, overflow: 'truncate' }, splitLine: { show: true } },
      visualMap: { show: false, min: 0, max: Math.log10(most + 1), dimension: 2, seriesIndex: 0, inRange: { color: [p.dark ? '#3d2b26' : '#f6d9cf', p.attack] } },
      brush: { xAxisIndex: 0, toolbox: [], brushStyle: { color: 'rgba(14,95,118,.15)', borderColor: p.accent } },
      series: [
        {
          type: 'heatmap', name: t('nRequests'),
          data: rows.flatMap((l, y) => l.values.flatMap((v, x) => (v > 0 ? [{ value: [x, y, Math.log10(v + 1)], n: v }] : []))),
          itemStyle: { borderColor: p.paper, borderWidth: 1 },
          tooltip: { formatter: (e: { data: { n: number; value: number[] } }) => `${lanes.labels[e.data.value[0]!]} · ${label(rows[e.data.value[1]!]!)}\n${t('nRequests')} ${f.exact(e.data.n)}` },
        },
        {
          type: 'scatter', name: t('events'), symbol: 'pin', symbolSize: 16, symbolOffset: [0, -6], z: 5,
          data: c.timeline.flatMap((e) => {
            const x = stepAt(lanes, e.time.slice(0, 10));
            const y = by === 'site' ? rows.findIndex((l) => l.key === e.site) : by === 'attack' ? rows.findIndex((l) => l.key === e.attack) : top;
            return x < 0 || y < 0 ? [] : [{ value: [x, y], itemStyle: { color: mark[e.event] }, said: inert(e.text[f.lang]) }];
          }),
          tooltip: { formatter: (e: { data: { said: string } }) => e.data.said },
        },
      ],
    };
  }, [lanes, by, c.timeline, p, t, name, f]);
  const picked = url.get('from');
  return (
    <section className="card">
      <h2>{t('timeline')}</h2>
      <div className="atk-list-bar no-print">
        <Segmented<By>
          aria-label={t('lanesBy')}
          value={by}
          onChange={setBy}
          options={[
            { value: 'site', label: t('laneSite') },
            { value: 'kind', label: t('laneKind') },
            { value: 'attack', label: t('laneAttack') },
          ]}
        />
        <span className="atk-sub">{t('lanesHint')}</span>
        {picked && (
          <Button size="small" onClick={() => url.set({ from: null, to: null })}>
            {t('lanesWhole')}
          </Button>
        )}
      </div>
      {lanes.lanes.length > 0 && (
        <Chart
          height={60 + Math.min(24, Math.max(3, lanes.lanes.length)) * 22}
          label={t('lanesLabel', { lanes: lanes.lanes.length, steps: lanes.starts.length })}
          option={option}
          brush={(a, b) => {
            const period = periodOf(lanes, a, b);
            if (period) url.set({ from: inZone(`${period.first}T00:00:00`, zone), to: inZone(`${dayAfter(period.last)}T00:00:00`, zone) });
          }}
        />
      )}
      <h3>{t('events')}</h3>
      <ol className="atk-event-list">
        {c.timeline.slice(0, shownEvents).map((e, i) => (
          <li key={i}>
            <When at={e.time} />
            <span className={`atk-event-kind atk-event-${e.event}`}>{t(e.event)}</span>
            <span>
              <Sentence of={e.text} /> {e.attack && <Chip kind="attack" value={e.attack} label={e.attack.slice(0, 8)} />}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
