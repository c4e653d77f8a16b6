import { Skeleton, Tabs } from 'antd';
import { api, type Schemas } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { Verdict } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { useUrl } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { Amount, When } from '../../parts/When';
import { tabName, type PanelProps } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { AttackRequests } from './attack/AttackRequests';
import { Contrasts } from './attack/Contrast';
import { Course } from './attack/Course';
import { Reasons } from './attack/Reasons';
import { Stop } from './attack/Stop';
import { Through } from './attack/Through';
import { Who } from './attack/Who';
import { Figures } from './Figures';
import { Going } from './Going';
import './style.css';
import { text } from './text';

type Attack = Schemas['Attack'];

const tabs = ['why', 'who', 'stop', 'requests'] as const;

/** What is known of one attack: what happened, why it is one, who it was, how to stop it. */
export default function AttackPanel({ id }: PanelProps) {
  const t = useText(text);
  const name = useName();
  const url = useUrl();
  const q = api.useQuery('get', '/api/v1/attacks/{id}', { params: { path: { id } } });
  if (q.error && !q.data) return <TroubleView error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active />;
  const a = q.data;
  const tab = tabs.find((x) => x === url.get(tabName)) ?? 'why';
  return (
    <>
      <h2 className="atk-title">
        {name('attack_kind', a.kind)} · <Inert text={a.site} />
      </h2>
      <Head of={a} />
      <p className="atk-says">
        <Sentence of={a.reason} />
      </p>
      <AttackFigures of={a} />
      <Tabs
        activeKey={tab}
        onChange={(k) => url.set({ [tabName]: k === 'why' ? null : k })}
        destroyOnHidden
        items={[
          {
            key: 'why',
            label: t('why'),
            children: (
              <>
                <Reasons of={a} />
                <Course of={a} />
                <Contrasts id={a.id} />
                <Through of={a} />
              </>
            ),
          },
          { key: 'who', label: t('who'), children: <Who of={a} /> },
          { key: 'stop', label: t('stop'), children: <Stop of={a} /> },
          { key: 'requests', label: t('ofAttack'), children: <AttackRequests of={a} /> },
        ]}
      />
    </>
  );
}

function Head({ of: a }: { of: Attack }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  return (
    <div className="atk-state-line">
      <Verdict verdict={a.verdict} />
      <span className="atk-sub">{t('confidence', { p: a.confidence > 0.99 ? `> ${f.percent(0.99)}` : f.percent(a.confidence) })}</span>
      <span className="atk-sub">{name('scenario', a.scenario)}</span>
      <Going first={a.first_seen} last={a.last_seen} />
    </div>
  );
}

function AttackFigures({ of: a }: { of: Attack }) {
  const t = useText(text);
  const f = useFormat();
  const share = (n: number) => (a.requests ? t('share', { p: f.percent(n / a.requests) }) : undefined);
  return (
    <Figures
      list={[
        { key: 'requests', label: t('nRequests'), value: <Amount n={a.requests} /> },
        { key: 'succeeded', label: t('succeeded'), value: <Amount n={a.succeeded} />, more: share(a.succeeded), bad: a.succeeded > 0 },
        { key: 'blocked', label: t('blocked'), value: <Amount n={a.blocked} />, more: share(a.blocked) },
        { key: 'people', label: t('people'), value: <Amount n={a.subjects_exposed} />, more: a.subjects_exposed > 0 ? t('atMost') : undefined, bad: a.subjects_exposed > 0 },
        { key: 'ips', label: t('addresses'), value: <Amount n={a.actors.ip_count} /> },
        {
          key: 'when', label: t('began'), value: <span className="atk-when"><When at={a.first_seen} /></span>,
          more: <>{t('last')} <When at={a.last_seen} /> · {t('lasted', { t: f.duration(Date.parse(a.last_seen) - Date.parse(a.first_seen)) })}</>,
        },
      ]}
    />
  );
}
