import { Descriptions, Skeleton } from 'antd';
import { useMemo } from 'react';
import { api, now, type Schemas } from '../../../api/client';
import { usePreferences } from '../../../preferences';
import { Bars } from '../../../charts/Bars';
import { Chart } from '../../../charts/Chart';
import { palette } from '../../../charts/palette';
import { Chip } from '../../../parts/Chip';
import { Inert } from '../../../parts/Inert';
import { ApiChip } from '../../../parts/Known';
import { Teach } from '../../../parts/Teach';
import { TroubleView } from '../../../parts/TroubleView';
import { useFormat } from '../../../parts/useFormat';
import { Amount, When } from '../../../parts/When';
import { useName, useText } from '../../../text/text';
import { text } from './text';

type API = Schemas['API'];

const day = 86_400_000;

/** Overview says what an API is, who calls it and how that went lately. */
export function Overview({ api: a, open }: { api: API; open?: number }) {
  const t = useText(text);
  const f = useFormat();
  return (
    <>
      <p className="say">{useSentence(a, open)}</p>
      <Descriptions
        size="small"
        column={{ xs: 1, sm: 2, lg: 3 }}
        items={[
          { key: 'calls', label: t('calls'), children: <Amount n={a.exchanges} /> },
          { key: 'callers', label: t('callers'), children: <Amount n={a.actors} /> },
          { key: 'host', label: t('host'), children: <Inert text={a.host} /> },
          { key: 'first', label: t('first'), children: <When at={a.first_seen} /> },
          { key: 'last', label: t('last'), children: <When at={a.last_seen} /> },
          ...(a.gone ? [{ key: 'gone', label: t('lifecycle'), children: t('gone') }] : []),
          ...(a.protocol ? [{ key: 'protocol', label: t('protocol'), children: <Inert text={a.protocol} /> }] : []),
          ...(a.successor ? [{ key: 'successor', label: t('successor'), children: <ApiChip id={a.successor} /> }] : []),
        ]}
      />
      <Trend id={a.id} />
      <div className="cards">
        <section className="card">
          <h2>{t('credentials')}</h2>
          {a.contract?.credentials.length ? (
            <Bars
              rows={a.contract.credentials.map((c) => ({
                key: `${c.kind} ${c.in} ${c.name}`,
                label: <Inert text={`${c.kind}${c.jwt ? ' (JWT)' : ''} · ${c.name}`} />,
                value: c.count,
                text: f.number(c.count),
              }))}
            />
          ) : (
            <p className="soft">{t('noCredential')}</p>
          )}
        </section>
        <Callers id={a.id} />
      </div>
    </>
  );
}

function useSentence(a: API, open?: number): string {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const plain = a.sensitive.filter((s) => s.in === 'response' && !s.masked);
  const types = [...new Set(plain.map((s) => name('sensitive', s.type)))];
  const parts = [t(`say.${a.auth === 'none' ? 'open' : a.auth}`)];
  parts.push(
    types.length
      ? t('say.plain', { types: types.slice(0, 4).join(f.lang === 'zh' ? '、' : ', '), n: f.number(Math.max(...plain.map((s) => s.max_per_response))) })
      : t('say.clean'),
  );
  if (open) parts.push(open === 1 ? t('say.defect') : t('say.defects', { n: f.number(open) }));
  return parts.join(f.lang === 'zh' ? '；' : '. ') + (f.lang === 'zh' ? '。' : '.');
}

function useKeptPeriod() {
  // To the hour, so that the question stays the same for a while.
  const end = Math.ceil(now() / 3_600_000) * 3_600_000;
  return useMemo(() => ({ from: new Date(end - 60 * day).toISOString(), to: new Date(end).toISOString() }), [end]);
}

function Trend({ id }: { id: string }) {
  const t = useText(text);
  const f = useFormat();
  const { dark, zone } = usePreferences();
  const period = useKeptPeriod();
  const q = api.useQuery('get', '/api/v1/observations/series', {
    params: { query: { api: id, ...period, step: 'day', by: 'verdict', offset: offsetOf(zone) } },
  });
  const p = palette(dark);
  const option = useMemo(() => {
    if (!q.data) return undefined;
    const first = q.data.starts.findIndex((_, i) => q.data.lines.some((l) => l.values[i]! > 0));
    if (first < 0) return null;
    const starts = q.data.starts.slice(first);
    return {
      grid: { left: 44, right: 12, top: 30, bottom: 24 },
      legend: { top: 0, right: 0, icon: 'roundRect', itemWidth: 12, itemHeight: 8 },
      tooltip: { trigger: 'axis' },
      xAxis: { type: 'category', data: starts.map((s) => f.time(s, 'day').slice(5)) },
      yAxis: { type: 'value', minInterval: 1 },
      series: (['normal', 'suspicious', 'attack'] as const).map((v) => ({
        type: 'bar', stack: 'all', name: t(v), color: p[v], barCategoryGap: '20%',
        data: (q.data.lines.find((l) => l.key === v)?.values ?? q.data.starts.map(() => 0)).slice(first),
      })),
    };
  }, [q.data, f, t, p]);
  if (q.error) return <TroubleView small error={q.error} retry={q.refetch} />;
  if (option === undefined) return <Skeleton className="gap" active paragraph={{ rows: 4 }} />;
  return (
    <section className="card gap">
      <h2>
        {t('trend')} <span className="soft small-note">{t('kept')}</span>
      </h2>
      {option === null ? <Teach title={t('noRows')}>{t('noRowsDo')}</Teach> : <Chart option={option} height={190} label={t('trendLabel', { step: t('step') })} />}
    </section>
  );
}

/** offsetOf gives how many minutes the clock of a zone is ahead of UTC. */
function offsetOf(zone: string): number {
  const at = new Date(now());
  const wall = new Date(at.toLocaleString('en-US', { timeZone: zone }));
  const utc = new Date(at.toLocaleString('en-US', { timeZone: 'UTC' }));
  return Math.round((wall.getTime() - utc.getTime()) / 60_000);
}

/** What is told of those who call: the dimensions, and how their values are called. */
const told = ['network', 'country', 'status', 'account', 'client'] as const;

function Callers({ id }: { id: string }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const period = useKeptPeriod();
  const q = api.useQuery('get', '/api/v1/observations/pivot', { params: { query: { of: 'api', key: id, ...period, limit: 5 } } });
  if (q.error) return <TroubleView small error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active paragraph={{ rows: 3 }} />;
  const titles = { network: t('networks'), country: t('countries'), status: t('statuses'), account: t('accounts'), client: t('clients') };
  return told.map((d) => {
    const facet = q.data.facets.find((x) => x.dimension === d);
    const items = facet?.top.filter((x) => x.key !== '') ?? [];
    if (items.length === 0) return null;
    return (
      <section key={d} className="card">
        <h2>
          {titles[d]} {facet!.distinct > items.length && <span className="soft small-note">{f.number(facet!.distinct)}</span>}
        </h2>
        <Bars
          rows={items.map((x) => ({
            key: x.key,
            label: d === 'account' || d === 'client' ? <Chip kind={d} value={x.key} /> : <Inert text={d === 'network' ? name('network_type', x.key) : x.key} />,
            value: x.rows,
            text: f.number(x.rows),
          }))}
        />
      </section>
    );
  });
}
