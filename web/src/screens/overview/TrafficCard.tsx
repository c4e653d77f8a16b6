import { Button, Segmented } from 'antd';
import { useMemo } from 'react';
import { api } from '../../api/client';
import { Chart } from '../../charts/Chart';
import { palette } from '../../charts/palette';
import { useFormat } from '../../parts/useFormat';
import { useUrl } from '../../parts/url';
import { usePreferences } from '../../preferences';
import { useText } from '../../text/text';
import { text } from './text';
import { chosen, trafficOption } from './traffic';
import type { Figures } from './useOverview';

/** The traffic of the period; dragging across it chooses a shorter one. */
export function TrafficCard({ of, height, large }: { of: Figures; height: number; large?: boolean }) {
  const t = useText(text);
  const f = useFormat();
  const url = useUrl();
  const { dark } = usePreferences();
  const bad = url.get('traffic') === 'bad';
  const since = useKeptSince(of);
  const rows = of.rows;
  const option = useMemo(
    () =>
      rows &&
      trafficOption(rows.traffic, {
        palette: palette(dark), bad, large,
        words: { normal: t('normal'), suspicious: t('suspicious'), attack: t('attack'), blocked: t('blockedLine') },
        number: f.number,
        time: (ms) => f.timeIn(ms, of.step === 'day' ? 'day' : 'minute'),
        axis: (ms) => {
          const s = f.time(ms, 'minute');
          return of.step === 'day' || s.endsWith('00:00') ? s.slice(5, 10) : s.slice(11);
        },
      }),
    [rows, dark, bad, large, t, f, of.step],
  );
  if (!rows || !option) return null;
  const total = rows.requests;
  const label = t('trafficSaid', {
    from: f.time(of.from), to: f.time(of.to), normal: f.number(total.normal.value), suspicious: f.number(total.suspicious.value),
    attack: f.number(total.attack.value), blocked: f.number(total.blocked.value),
  });
  const brushed = Boolean(url.get('from') || url.get('to'));
  return (
    <section className="card traffic-card">
      <h2>
        {t('traffic')} <span className="soft">{t(of.step)}</span>
      </h2>
      <div className="card-tools">
        {brushed && !large && (
          <Button size="small" type="link" onClick={() => url.set({ from: null, to: null, range: null })}>
            {t('back')}
          </Button>
        )}
        <Segmented
          size="small"
          aria-label={t('which')}
          value={bad ? 'bad' : 'all'}
          onChange={(v) => url.set({ traffic: v === 'bad' ? 'bad' : null })}
          options={[
            { value: 'all', label: t('all') },
            { value: 'bad', label: t('bad') },
          ]}
        />
      </div>
      <Chart
        option={option}
        height={height}
        label={label}
        brush={(from, to) => {
          const period = chosen(from, to, rows.traffic.starts, of.step);
          if (period) url.set({ ...period, range: null }, { push: true });
        }}
      />
      {since && <p className="hint">{t('keptSince', { day: f.time(since, 'day') })}</p>}
      {!large && <p className="soft hint">{t('brush')}</p>}
    </section>
  );
}

/**
 * useKeptSince gives the first day of which single requests are kept, where the
 * period began before it: findings reach back further than figures of traffic.
 */
function useKeptSince(of: Figures): string | undefined {
  const { data } = api.useQuery('get', '/api/v1/observations/days', {}, { enabled: of.step === 'day' && Boolean(of.rows), staleTime: 300_000, retry: false });
  const first = data?.days[0]?.day;
  return of.step === 'day' && first && Date.parse(`${first}T00:00:00Z`) - Date.parse(of.from) > 86_400_000 ? `${first}T00:00:00Z` : undefined;
}
