import type { TableProps } from 'antd';
import { useMemo } from 'react';
import { client, Trouble, type Schemas } from '../../../api/client';
import { ApiChip, AttackChip } from '../../../parts/Known';
import { Chip } from '../../../parts/Chip';
import { DataTable } from '../../../parts/DataTable';
import { Teach } from '../../../parts/Teach';
import { useFormat } from '../../../parts/useFormat';
import { usePaged } from '../../../parts/usePaged';
import { When } from '../../../parts/When';
import { useLang, useText } from '../../../text/text';
import { text } from '../text';
import { outcomes, rowVerdicts, wordOf } from '../words';
import type { RowQuery } from './query';

type Row = Schemas['Observation'];

/** RequestTable lists single requests, newest first; more come as one scrolls. */
export function RequestTable({ query, without = [], height, chips }: { query: RowQuery; without?: readonly string[]; height?: number; chips?: boolean }) {
  const t = useText(text);
  const columns = useColumns(chips ?? false);
  const paged = usePaged<Row>('/api/v1/observations', query, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/observations', { params: { query: { ...query, cursor, limit: 100 } }, signal });
    return data!;
  });
  const off = paged.error instanceof Trouble && paged.error.problem?.code === 'unavailable';
  if (off) return <Teach title={t('requestsOff')}>{t('requestsOffDo')}</Teach>;
  return (
    <DataTable
      label={t('requests')}
      paged={paged}
      columns={columns!.filter((c) => !without.includes(String(c.key)))}
      rowKey={(r) => `${r.time} ${r.exchange}`}
      height={height}
      empty={query.finding ? <Teach title={t('keptNone')}>{t('keptNoneDo')}</Teach> : <Teach title={t('requestsNone')}>{t('requestsNoneDo')}</Teach>}
    />
  );
}

function useColumns(filters: boolean): TableProps<Row>['columns'] {
  const t = useText(text);
  const f = useFormat();
  const lang = useLang();
  return useMemo<TableProps<Row>['columns']>(() => {
    const narrowing = (name: string) => (filters ? { filter: name, exclude: `not.${name}` } : {});
    const token = (kind: 'account' | 'actor' | 'session' | 'agent', v?: string) => (v ? <Chip kind={kind} value={v} label={v.slice(0, 8)} {...narrowing(kind)} /> : <span className="none">–</span>);
    return [
      { key: 'time', title: t('time'), width: 158, fixed: 'left', render: (_, r) => <When at={r.time} detail="second" /> },
      { key: 'verdict', title: t('verdict'), width: 78, render: (_, r) => <span className={`atk-row-${r.verdict}`}>{rowVerdicts[r.verdict][lang]}</span> },
      { key: 'client', title: t('client'), width: 160, ellipsis: true, render: (_, r) => (r.client ? <Chip kind="client" value={r.client} {...narrowing('client')} /> : <span className="none">–</span>) },
      { key: 'site', title: t('site'), width: 120, ellipsis: true, render: (_, r) => <Chip kind="site" value={r.site} {...narrowing('site')} /> },
      { key: 'api', title: t('api'), width: 300, ellipsis: true, render: (_, r) => (r.api ? <ApiChip id={r.api} {...narrowing('api')} /> : <span className="none">–</span>) },
      { key: 'status', title: t('status'), width: 68, align: 'right', render: (_, r) => r.status || <span className="none">–</span> },
      { key: 'outcome', title: t('outcomeOf'), width: 90, render: (_, r) => wordOf(outcomes, r.outcome, lang) },
      { key: 'account', title: t('account'), width: 104, render: (_, r) => token('account', r.account) },
      { key: 'actor', title: t('actor'), width: 104, render: (_, r) => token('actor', r.actor) },
      { key: 'agent', title: t('agent'), width: 122, render: (_, r) => token('agent', r.agent) },
      { key: 'session', title: t('session'), width: 104, render: (_, r) => token('session', r.session) },
      {
        key: 'types', title: t('types'), width: 190, ellipsis: true,
        render: (_, r) => (r.types.length ? <span className="atk-chips atk-one-line">{r.types.map((x) => <Chip key={x} kind="type" value={x} {...narrowing('type')} />)}</span> : <span className="none">–</span>),
      },
      { key: 'subjects', title: t('subjects'), width: 64, align: 'right', render: (_, r) => f.exact(r.subjects) },
      { key: 'size', title: t('size'), width: 84, align: 'right', render: (_, r) => f.bytes(r.bytes_out) },
      { key: 'latency', title: t('latency'), width: 84, align: 'right', render: (_, r) => `${f.exact(Math.round(r.latency / 1000))} ms` },
      { key: 'attack', title: t('attack'), width: 190, ellipsis: true, render: (_, r) => (r.attack ? <AttackChip id={r.attack} {...narrowing('attack')} /> : <span className="none">–</span>) },
    ];
  }, [filters, t, f, lang]);
}
