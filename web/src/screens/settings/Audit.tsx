import { Alert, Button, type TableProps } from 'antd';
import { useState } from 'react';
import { client, type Schemas } from '../../api/client';
import { DataTable } from '../../parts/DataTable';
import { FilterBar } from '../../parts/FilterBar';
import { Inert } from '../../parts/Inert';
import { Teach } from '../../parts/Teach';
import { describe } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { useSpan, useUrl } from '../../parts/url';
import { usePaged } from '../../parts/usePaged';
import { When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { useLang, useText, type Lang, type Said } from '../../text/text';
import { details, text } from './text';
import { useUserNames } from './useUserNames';

type Entry = Schemas['AuditEntry'];

const groups = ['session', 'user', 'token', 'policy', 'setting'] as const;

/** Audit is who did what, sealed entry by entry. */
export function Audit() {
  const t = useText(text);
  const url = useUrl();
  const span = useSpan('all');
  const names = useUserNames();
  const lang = useLang();
  const open = useOpen();
  const query = { action: url.get('action'), by: url.get('by'), target: url.get('target'), from: span.from, to: span.to };
  const paged = usePaged<Entry>('/api/v1/audit', query, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/audit', { params: { query: { ...query, cursor, limit: 200 } }, signal });
    return data!;
  });
  const who = (by: string) => {
    const [id, token] = by.split(' ');
    const shown = id === 'anonymous' || id === 'program' ? t(id) : (names[id!] ?? id!);
    return token ? `${shown} (${t('token')})` : shown;
  };
  const columns: TableProps<Entry>['columns'] = [
    { key: 'seq', title: '#', width: 55, align: 'right', render: (_, e) => e.seq },
    { key: 'at', title: t('when'), width: 165, render: (_, e) => <When at={e.at} detail="second" /> },
    {
      key: 'by',
      title: t('who'),
      width: 110,
      ellipsis: true,
      render: (_, e) => (
        <button type="button" className="as-link one-line" onClick={(c) => (c.stopPropagation(), url.set({ by: e.by.split(' ')[0] }))}>
          <Inert text={who(e.by)} />
        </button>
      ),
    },
    { key: 'action', title: t('action'), width: 165, ellipsis: true, render: (_, e) => (e.action in text ? t(e.action as keyof typeof text) : <Inert code text={e.action} />) },
    {
      key: 'target',
      title: t('target'),
      width: 170,
      ellipsis: true,
      render: (_, e) => (
        <button type="button" className="as-link one-line" onClick={(c) => (c.stopPropagation(), url.set({ target: e.target }))}>
          <Inert text={names[e.target] ?? (e.target in text ? t(e.target as keyof typeof text) : e.target)} />
        </button>
      ),
    },
    { key: 'detail', title: t('detail'), width: 330, ellipsis: true, render: (_, e) => <Inert text={told(e.detail, lang)} /> },
    { key: 'address', title: t('address'), width: 120, render: (_, e) => <Inert text={String(e.detail?.address ?? '–')} /> },
  ];
  return (
    <>
      <p className="allow-intro">{t('auditIntro')}</p>
      <Verify />
      <FilterBar
        standard="all"
        sites={false}
        search={false}
        facets={[{ name: 'action', label: t('anyAction'), choices: groups.map((value) => ({ value, label: t(value) })) }]}
        chips={[
          { name: 'by', label: t('who') },
          { name: 'target', label: t('target') },
        ]}
      />
      <DataTable label={t('tabAudit')} paged={paged} columns={columns} rowKey={(e) => String(e.seq)} open={(e) => e.action.startsWith('policy.') && open('decision', e.target)} empty={<Teach title={t('noAudit')}>{t('noAuditDo')}</Teach>} />
    </>
  );
}

const order = ['reason', 'name', 'kind', 'verdict', 'edit', 'approval', 'role'];
const place = (k: string) => (order.includes(k) ? order.indexOf(k) : order.length);

/** told writes what an entry says beside address and time, which have columns; what says most comes first. */
export function told(detail: Entry['detail'], lang: Lang): string {
  return Object.entries(detail ?? {})
    .filter(([k]) => k !== 'address' && k !== 'at')
    .sort(([a], [b]) => place(a) - place(b))
    .map(([k, v]) => `${(details as Record<string, Said>)[k]?.[lang] ?? k}: ${typeof v === 'string' ? v : JSON.stringify(v)}`)
    .join(' · ');
}

function Verify() {
  const t = useText(text);
  const f = useFormat();
  const lang = useLang();
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<Schemas['AuditVerification']>();
  const [trouble, setTrouble] = useState('');
  const run = async () => {
    setBusy(true);
    setTrouble('');
    try {
      const { data } = await client.GET('/api/v1/audit/verification');
      setResult(data);
    } catch (e) {
      const d = describe(e, lang);
      setTrouble(`${d.title} ${d.detail}`);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="verify">
      <Button loading={busy} onClick={() => void run()}>
        {t('verify')}
      </Button>
      <div aria-live="polite">
        {trouble && <Alert type="error" title={trouble} />}
        {result?.whole && (
          <Alert
            type="success"
            showIcon
            title={t('verifyOk', { n: f.exact(result.entries) })}
            description={
              <>
                {t('verifySeal')}: <code className="seal">{result.seal}</code>
              </>
            }
          />
        )}
        {result && !result.whole && <Alert type="error" showIcon title={t('verifyBad')} description={<Inert text={result.error ?? ''} />} />}
      </div>
    </div>
  );
}
