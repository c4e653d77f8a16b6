import { Skeleton, Table } from 'antd';
import { Trouble, api, type Schemas } from '../../../api/client';
import { Chip } from '../../../parts/Chip';
import { TroubleView } from '../../../parts/TroubleView';
import { useFormat } from '../../../parts/useFormat';
import { When } from '../../../parts/When';
import { useText } from '../../../text/text';
import { outcomes, wordOf } from '../words';
import { contrastText } from './contrastText';

type Contrast = Schemas['Contrast'];
type One = Schemas['Contrasted'];

/** Contrasts puts those who attack beside ordinary ones who asked the same API at the time. */
export function Contrasts({ id }: { id: string }) {
  const t = useText(contrastText);
  const q = api.useQuery('get', '/api/v1/attacks/{id}/contrast', { params: { path: { id } } }, { retry: false, staleTime: 60_000 });
  const absent = q.error instanceof Trouble && (q.error.status === 404 || q.error.status === 503);
  return (
    <section className="atk-panel-section">
      <h3>{t('title')}</h3>
      {q.isPending && <Skeleton active />}
      {q.error && !absent ? <TroubleView small error={q.error} retry={q.refetch} /> : null}
      {absent || (q.data && q.data.attackers.length === 0) ? <p className="atk-sub">{t('none')}</p> : null}
      {q.data && q.data.attackers.length > 0 && <Told of={q.data} />}
    </section>
  );
}

function Told({ of: c }: { of: Contrast }) {
  const t = useText(contrastText);
  const f = useFormat();
  const figure = (name: Schemas['ContrastFeature']['name'], n: number) => (name === 'success' ? f.percent(n) : name === 'spacing' ? (n > 0 ? f.duration(n * 1000) : '–') : f.exact(Math.round(n * 10) / 10));
  return (
    <>
      <p className="atk-sub">
        {t('intro')} <When at={c.from} /> – <When at={c.to} />
      </p>
      {c.ordinary.length === 0 && <p className="atk-sub">{t('noOrdinary')}</p>}
      {c.features.length > 0 && (
        <Table
          size="small"
          aria-label={t('title')}
          pagination={false}
          rowKey="name"
          scroll={{ x: 'max-content' }}
          dataSource={c.features}
          columns={[
            { key: 'name', title: t('feature'), render: (_, x) => t(x.name) },
            { key: 'attack', title: t('attackers'), align: 'right', render: (_, x) => <strong>{figure(x.name, x.attack)}</strong> },
            { key: 'ordinary', title: t('ordinary'), align: 'right', render: (_, x) => figure(x.name, x.ordinary) },
            { key: 'ratio', title: t('ratio'), align: 'right', render: (_, x) => (x.ratio !== undefined ? `× ${f.exact(Math.round(x.ratio * 10) / 10)}` : '–') },
          ]}
        />
      )}
      <div className="atk-two atk-contrast">
        <Side title={t('attackers')} list={c.attackers} by={c.by} />
        <Side title={t('ordinary')} list={c.ordinary} by={c.by} />
      </div>
    </>
  );
}

function Side({ title, list, by }: { title: string; list: readonly One[]; by: Contrast['by'] }) {
  return (
    <div>
      <h4>{title}</h4>
      {list.map((x) => (
        <Session key={x.key} of={x} by={by} />
      ))}
    </div>
  );
}

/** How many requests of one are shown. */
const shown = 8;

function Session({ of: x, by }: { of: One; by: Contrast['by'] }) {
  const t = useText(contrastText);
  const f = useFormat();
  return (
    <div className="atk-session">
      <div className="atk-chips">
        <Chip kind={by} value={x.key} label={by === 'client' ? undefined : x.key.slice(0, 12)} />
        <span className="atk-sub">
          {t('line', { n: f.exact(x.requests), targets: f.exact(x.targets), ok: f.percent(x.success) })}
          {x.spacing !== undefined && ` · ${t('every', { t: f.duration(x.spacing * 1000) })}`}
        </span>
      </div>
      <ol className="atk-steps">
        {x.rows.slice(0, shown).map((r) => (
          <li key={`${r.time} ${r.exchange}`}>
            <time dateTime={r.time}>{f.time(r.time, 'second').slice(11)}</time> {r.status || '–'} {wordOf(outcomes, r.outcome, f.lang)}
            {r.account && <span className="atk-sub"> · {r.account.slice(0, 8)}</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}
