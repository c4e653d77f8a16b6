import { CopyOutlined } from '@ant-design/icons';
import { App, Button, Descriptions, Dropdown, Skeleton, Space, Tag, Tooltip } from 'antd';
import { useMemo, useState } from 'react';
import { api } from '../../api/client';
import { useSession } from '../../api/session';
import { Chip } from '../../parts/Chip';
import { Inert } from '../../parts/Inert';
import { ApiChip, AttackChip } from '../../parts/Known';
import { Sentence } from '../../parts/Sentence';
import { DefectStatus, Severity } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { Amount, When } from '../../parts/When';
import type { PanelProps } from '../../shell/drawer';
import { useKeys } from '../../shell/keys';
import { useLang, useName, useText, type Lang } from '../../text/text';
import { EvidenceView } from './EvidenceView';
import { FixForm } from './FixForm';
import { degree, type Defect } from './groups';
import { Life, Verdicts } from './Life';
import { owasp } from './owasp';
import { text } from './panelText';
import './style.css';
import { ticketOf } from './ticket';
import { useBrief } from './useBrief';
import { VerdictForm } from './VerdictForm';

const axes = ['harm', 'exploitability', 'prevalence'] as const;

/** What a developer has to mend: why, what it cost, how, and whether it is done. */
export default function DefectPanel({ id }: PanelProps) {
  const q = api.useQuery('get', '/api/v1/defects/{id}', { params: { path: { id } } });
  if (q.error && !q.data) return <TroubleView error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active />;
  return <Panel of={q.data} />;
}

function Panel({ of: d }: { of: Defect }) {
  const t = useText(text);
  const name = useName();
  const lang = useLang();
  const f = useFormat();
  const { may } = useSession();
  const brief = useBrief(d.api || undefined);
  const [form, setForm] = useState<'verdict' | 'fix'>();
  const can = may('analyst');
  const keys = useMemo((): Record<string, () => void> => (can && !form ? { v: () => setForm('verdict'), f: () => setForm('fix') } : {}), [can, form]);
  useKeys(keys);
  return (
    <div className="defect-panel">
      <header className="api-head">
        <div>
          <h2>
            <Severity level={d.severity} /> {name('defect_kind', d.kind)}
          </h2>
          <p className="chip-row">
            <DefectStatus status={d.status} />
            <Tag>{name('defect_class', d.class)}</Tag>
            {d.api ? <ApiChip id={d.api} /> : <Tag>{t('wholeSite')}</Tag>}
            {brief && <Chip kind="site" value={brief.site} />}
          </p>
        </div>
        <Tooltip title={can ? undefined : t('mayNot')}>
          <Space>
            <Button disabled={!can} onClick={() => setForm('fix')}>
              {t('claim')} <kbd>f</kbd>
            </Button>
            <Button type="primary" disabled={!can} onClick={() => setForm('verdict')}>
              {t('judge')} <kbd>v</kbd>
            </Button>
          </Space>
        </Tooltip>
      </header>
      <p className="say">
        <Sentence of={d.reason} />
      </p>
      <Descriptions
        size="small"
        column={{ xs: 1, sm: 2, lg: 4 }}
        items={[
          { key: 'count', label: t('count'), children: <Amount n={d.count} /> },
          { key: 'first', label: t('first'), children: <When at={d.first_seen} /> },
          { key: 'last', label: t('last'), children: <When at={d.last_seen} /> },
          { key: 'confidence', label: t('confidence'), children: f.percent(d.confidence) },
          ...(d.component ? [{ key: 'component', label: t('component'), children: <Inert text={d.component} /> }] : []),
        ]}
      />
      <Cost of={d} />
      <section className="gap">
        <h3>{t('why')}</h3>
        <div className="axes">
          {axes.map((a) => (
            <div key={a} className="card axis">
              <h4>
                {t(a)} <Meter n={degree(d[a])} label={t('degree', { n: degree(d[a]) })} level={d[a]} />
              </h4>
              <p>{d.why ? <Inert text={afterColon(d.why[a][lang])} /> : a === 'harm' ? <Sentence of={d.rating} /> : null}</p>
            </div>
          ))}
        </div>
      </section>
      {d.evidence.length > 0 && <EvidenceView of={d} host={brief?.host} />}
      <section className="gap">
        <div className="section-head">
          <h3>{t('todo')}</h3>
          <Ticket of={d} text={(l) => ticketOf(d, brief, l, `${location.origin}/defects?open=defect~${d.id}`)} />
        </div>
        <p className="advice">
          <Sentence of={d.advice} />
        </p>
        <p className="chip-row soft">
          {t('refs')}:
          {d.owasp.map((o) => (
            <Tag key={o}>{`OWASP ${o} ${owasp[o]?.[lang] ?? ''}`}</Tag>
          ))}
          {d.cwe.map((c) => (
            <Tag key={c}>{c}</Tag>
          ))}
        </p>
      </section>
      <Life of={d} />
      <Verdicts id={d.id} />
      {form === 'verdict' && <VerdictForm of={[d]} close={() => setForm(undefined)} />}
      {form === 'fix' && <FixForm of={d} close={() => setForm(undefined)} />}
    </div>
  );
}

/** afterColon leaves out the name of the axis and its degree, which stand above. */
const afterColon = (s: string) => {
  const m = /^[^:：]{1,40}[:：]\s*(.+)$/s.exec(s);
  return m ? m[1]!.charAt(0).toUpperCase() + m[1]!.slice(1) : s;
};

function Meter({ n, label, level }: { n: number; label: string; level: string }) {
  return (
    <span className={`meter level-${level}`} role="img" aria-label={label}>
      {[1, 2, 3, 4].map((i) => (
        <span key={i} className={i <= n ? 'on' : ''} />
      ))}
      <span className="meter-text">{label}</span>
    </span>
  );
}

const mostChips = 12;

function Cost({ of: d }: { of: Defect }) {
  const t = useText(text);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/attacks', { params: { query: { defect: d.id, sort: 'subjects_exposed', limit: 1 } } }, { enabled: d.exploited_by.length > 0 });
  const people = q.data?.items[0]?.subjects_exposed ?? 0;
  return (
    <section className="gap">
      <h3>{t('cost')}</h3>
      {d.exploited_by.length === 0 ? (
        <p className="soft">{t('notExploited')}</p>
      ) : (
        <>
          <p>{t(people ? 'exploited' : 'exploitedNone', { n: f.exact(d.exploited_by.length), people: f.exact(people) })}</p>
          <p className="chip-row">
            {d.exploited_by.slice(0, mostChips).map((a) => (
              <AttackChip key={a} id={a} />
            ))}
            {d.exploited_by.length > mostChips && <span className="soft">+{d.exploited_by.length - mostChips}</span>}
          </p>
        </>
      )}
    </section>
  );
}

function Ticket({ text: write }: { of: Defect; text: (lang: Lang) => string }) {
  const t = useText(text);
  const { message, modal } = App.useApp();
  const copy = async (lang: Lang) => {
    const out = write(lang);
    try {
      await navigator.clipboard.writeText(out);
      message.success(t('copied'));
    } catch {
      modal.info({ title: t('refused'), content: <pre className="to-copy">{out}</pre>, width: 720, icon: null });
    }
  };
  return (
    <Dropdown trigger={['click']} menu={{ items: [{ key: 'zh', label: t('ticketZh') }, { key: 'en', label: t('ticketEn') }], onClick: ({ key }) => void copy(key as Lang) }}>
      <Button size="small" icon={<CopyOutlined />}>
        {t('ticket')}
      </Button>
    </Dropdown>
  );
}
