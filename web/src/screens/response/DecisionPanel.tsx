import { Descriptions, Skeleton, Timeline } from 'antd';
import { api, now } from '../../api/client';
import { useSession } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { DefectChip } from '../../parts/Known';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { When } from '../../parts/When';
import type { PanelProps } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { endable, stageOf, target } from './decision';
import { EndDecision } from './EndDecision';
import { Stage, Until } from './Parts';
import { text } from './text';
import './style.css';

/** What was decided, how it stands and why, and how to end it. */
export default function DecisionPanel({ id }: PanelProps) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const { may } = useSession();
  const q = api.useQuery('get', '/api/v1/policy/{id}', { params: { path: { id } } });
  if (q.error) return <TroubleView error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active />;
  const e = q.data;
  const stage = stageOf(e, now());
  const where = target(e);
  const facts = [
    { key: 'target', label: t('target'), children: where ? <Inert code text={where} /> : t('everyApi') },
    { key: 'site', label: t('site'), children: e.site ? <Inert text={e.site} /> : t('everySite') },
    ...(e.approval ? [{ key: 'approval', label: t('formApproval'), children: t(e.approval) }] : []),
    ...(e.kind === 'approval'
      ? [
          { key: 'clients', label: t('clients'), children: e.clients?.length ? <Inert text={e.clients.join(', ')} /> : t('anyClient') },
          { key: 'max', label: t('maxRecords'), children: e.max_records ? f.exact(e.max_records) : t('anyRecords') },
          { key: 'kinds', label: t('excuses'), children: (e.kinds?.length ? e.kinds : ['bulk_response']).map((k) => name('defect_kind', k)).join(f.lang === 'zh' ? '、' : ', ') },
        ]
      : []),
    ...(e.defect ? [{ key: 'defect', label: t('defect'), children: <DefectChip id={e.defect} /> }] : []),
    ...(e.verdict ? [{ key: 'verdict', label: t('verdict'), children: t(e.verdict) }] : []),
    ...(e.edit ? [{ key: 'edit', label: t('template'), children: t(e.edit) }] : []),
    ...(e.title ? [{ key: 'title', label: t('newTitle'), children: <Inert text={e.title} /> }] : []),
    ...(e.role ? [{ key: 'role', label: t('newRole'), children: name('role', e.role) }] : []),
    { key: 'expires', label: t('expires'), children: <Until entry={e} /> },
    { key: 'reason', label: t('reason'), children: <Inert text={e.reason || '–'} /> },
  ];
  return (
    <div className="decision">
      <h2>
        {t(e.kind)} <Stage entry={e} />
      </h2>
      <p className="soft">{t(`${stage}Why`)}</p>
      <Descriptions column={1} size="small" bordered items={facts} />
      <h3>{t('history')}</h3>
      <Timeline
        items={[
          { key: 'at', content: <Moment at={e.at} said={t('decided', { name: e.by_name ?? e.by })} more={e.reason} /> },
          ...(e.ended ? [{ key: 'ended', content: <Moment at={e.ended} said={t('endedBy', { name: (e.ended_by === e.by && e.by_name) || e.ended_by || '' })} more={e.ended_reason} /> }] : []),
        ]}
      />
      {stage === 'live' &&
        (!endable(e) ? (
          <p className="soft">{t(e.kind === 'fix' ? 'endlessFix' : 'endlessEdit')}</p>
        ) : may('responder') ? (
          <EndDecision id={e.id} done={() => void q.refetch()} />
        ) : (
          <p className="soft">{t('needResponder')}</p>
        ))}
    </div>
  );
}

function Moment({ at, said, more }: { at: string; said: string; more?: string }) {
  return (
    <>
      <When at={at} detail="second" /> <Inert text={said} />
      {more && (
        <div className="soft">
          <Inert text={more} />
        </div>
      )}
    </>
  );
}
