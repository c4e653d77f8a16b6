import { Alert } from 'antd';
import { CheckCircleOutlined } from '@ant-design/icons';
import { Link } from 'react-router';
import { api, now } from '../../api/client';
import { Chip } from '../../parts/Chip';
import { useFormat } from '../../parts/useFormat';
import { useName, useText } from '../../text/text';
import { links, sure } from './links';
import { text } from './text';
import type { Figures } from './useOverview';

/** After so long without traffic it is said that there is none. */
const silence = 15 * 60_000;

/** Surge says in one line whether something goes on right now; where nothing comes in, nothing is calm. */
export function Surge({ of, site }: { of: Figures; site?: string }) {
  const t = useText(text);
  const f = useFormat();
  const age = of.seen ? now() - Date.parse(of.seen) : 0;
  const s = of.rows?.surge;
  return (
    <div className="surge" role="status">
      {of.seen && age > silence && (
        <Alert
          type="warning"
          showIcon
          title={t('stale', { ago: f.duration(age), time: f.time(of.seen) })}
          description={t('staleDo')}
          action={<Link to={links.sources()}>{t('toSources')}</Link>}
        />
      )}
      {s && (s.surge ? <Surging s={s} site={site} /> : age <= silence && <Calm s={s} />)}
    </div>
  );
}

type S = NonNullable<Figures['rows']>['surge'];

const mean = (n: number) => (n > 0 && n < 10 ? Math.round(n * 10) / 10 : Math.round(n));

function Calm({ s }: { s: S }) {
  const t = useText(text);
  const f = useFormat();
  return (
    <p className="calm">
      <CheckCircleOutlined aria-hidden="true" />{' '}
      {s.requests === 0 && s.reference === 0 ? t('quiet') : t('calm', { n: f.number(s.requests), mean: f.number(mean(s.reference)) })}
    </p>
  );
}

function Surging({ s, site }: { s: S; site?: string }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const period = { from: s.from, to: s.to, site };
  const sites = api.useQuery('get', '/api/v1/observations/top', { params: { query: { ...period, verdict: ['attack'], of: 'site', limit: 3 } } });
  const kinds = api.useQuery('get', '/api/v1/counts/attacks', { params: { query: { from: s.from, site, verdict: [...sure] } } });
  const byKind = new Map<string, number>();
  for (const g of kinds.data?.groups ?? []) byKind.set(g.type, (byKind.get(g.type) ?? 0) + g.count);
  const said = { n: f.number(s.requests), from: f.time(s.from).slice(11), to: f.time(s.to).slice(11), mean: f.number(mean(s.reference)) };
  return (
    <Alert
      type="error"
      showIcon
      className="surging"
      title={<strong>{t('surge')}</strong>}
      description={
        <>
          <p>{s.ratio ? t('surgeTimes', { ...said, times: f.number(mean(s.ratio)) }) : t('surgeNew', said)}</p>
          {(sites.data?.items.length ?? 0) > 0 && (
            <p>
              {t('surgeSites')}:{' '}
              {sites.data!.items.map((x) => (
                <Chip key={x.key} kind="site" value={x.key} label={`${x.key} ${f.number(x.value)}`} filter="site" />
              ))}
            </p>
          )}
          {byKind.size > 0 && (
            <p>
              {t('surgeKinds')}:{' '}
              {[...byKind]
                .sort((a, b) => b[1] - a[1])
                .slice(0, 4)
                .map(([kind]) => name('attack_kind', kind))
                .join(f.lang === 'zh' ? '、' : ', ')}
            </p>
          )}
        </>
      }
      action={<Link to={links.surge(s.from, site)}>{t('surgeOpen')}</Link>}
    />
  );
}
