import { Progress, Tag, Timeline } from 'antd';
import { api } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { DefectStatus } from '../../parts/Tags';
import { useFormat } from '../../parts/useFormat';
import { When } from '../../parts/When';
import { useText } from '../../text/text';
import { Undo } from '../inventory/edit/EditNotes';
import { text as panel } from '../inventory/panel/text';
import type { Defect } from './groups';
import { text } from './panelText';

/** Life is what became of a defect, and how far the proof of its fix has come. */
export function Life({ of: d }: { of: Defect }) {
  const t = useText(text);
  const f = useFormat();
  const history = [...(d.life?.history ?? [])].reverse();
  return (
    <section className="gap">
      <h3>{t('life')}</h3>
      {d.life?.progress && <Proof of={d.life.progress} />}
      {history.length === 0 ? (
        <p className="soft">{t('foundOnly', { first: f.time(d.first_seen) })}</p>
      ) : (
        <Timeline
          items={history.map((h, i) => ({
            key: `${h.time}${i}`,
            content: (
              <>
                <When at={h.time} /> <DefectStatus status={h.status} /> <Sentence of={h.text} />
              </>
            ),
          }))}
        />
      )}
    </section>
  );
}

type Progress = NonNullable<NonNullable<Defect['life']>['progress']>;

function Proof({ of: p }: { of: Progress }) {
  const t = useText(text);
  const f = useFormat();
  const rows = [
    { key: 'requests', n: p.requests, needed: p.requests_needed, shown: f.exact, left: (n: number) => t('proof.left', { n: f.exact(Math.ceil(n)) }) },
    { key: 'hours', n: p.hours, needed: p.hours_needed, shown: f.exact, left: (n: number) => t('proof.left', { n: f.exact(Math.ceil(n)) }) },
    { key: 'days', n: p.days, needed: p.days_needed, shown: (n: number) => (Math.floor(n * 10) / 10).toString(), left: (n: number) => t('proof.days.left', { n: (Math.ceil(n * 10) / 10).toString() }) },
    { key: 'traffic', n: p.traffic, needed: p.traffic_needed, shown: f.percent, left: (n: number) => t('proof.left', { n: f.percent(n) }) },
  ] as const;
  const done = rows.every((r) => r.n >= r.needed);
  return (
    <div className="card proof">
      <h4>{t('proof')}</h4>
      <p>{done ? t('proof.done') : t(p.claimed ? 'proof.claimed' : 'proof.silent', { since: f.time(p.since) })}</p>
      <dl>
        {rows.map((r) => (
          <div key={r.key}>
            <dt>{t(`proof.${r.key}`)}</dt>
            <dd>
              <Progress percent={r.needed > 0 ? Math.min(100, (100 * r.n) / r.needed) : 100} showInfo={false} size="small" status={r.n >= r.needed ? 'success' : 'normal'} aria-label={t(`proof.${r.key}`)} />
            </dd>
            <dd>{t('proof.of', { n: r.shown(r.n), needed: r.shown(r.needed) })}</dd>
            <dd className={r.n >= r.needed ? 'reached' : ''}>{r.n >= r.needed ? t('proof.ok') : r.left(r.needed - r.n)}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

/** Verdicts are what people said of a defect: who, when, why, and whether it holds. */
export function Verdicts({ id }: { id: string }) {
  const t = useText(text);
  const s = useText(panel);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/policy', { params: { query: { defect: id, limit: 100 } } });
  const list = q.data?.items ?? [];
  return (
    <section className="gap">
      <h3>{t('verdicts')}</h3>
      {list.length === 0 && <p className="soft">{t('noVerdicts')}</p>}
      {list.map((e) => (
        <div key={e.id} className="edit-line">
          <b>{t(`verdict.${e.verdict ?? 'fix'}`)}</b>
          <Tag className={`policy-state policy-${e.state}`}>{s(`state.${e.state}`)}</Tag>
          <span className="soft">
            <Inert text={e.by_name ?? e.by} /> · <When at={e.at} />
            {e.expires && ` · ${t('until', { when: f.time(e.expires, 'day') })}`}
          </span>
          <Inert text={e.reason} />
          {e.ended_reason && (
            <span className="soft">
              → <Inert text={e.ended_reason} />
            </span>
          )}
          {e.kind === 'verdict' && <Undo of={e} help={t('undoHelp')} />}
        </div>
      ))}
    </section>
  );
}
