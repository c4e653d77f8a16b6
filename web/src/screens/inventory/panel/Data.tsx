import { Table } from 'antd';
import type { Schemas } from '../../../api/client';
import { Chip } from '../../../parts/Chip';
import { Inert } from '../../../parts/Inert';
import { Teach } from '../../../parts/Teach';
import { Amount } from '../../../parts/When';
import { useText } from '../../../text/text';
import { text } from './text';

type Field = Schemas['API']['sensitive'][number];

/** Data is where an API carries personal data and secrets, and how much at once. */
export function Data({ api }: { api: Schemas['API'] }) {
  const t = useText(text);
  if (api.sensitive.length === 0) return <Teach title={t('noData')}>{t('noDataDo')}</Teach>;
  const list = [...api.sensitive].sort((a, b) => Number(a.masked) - Number(b.masked) || Number(a.in === 'request') - Number(b.in === 'request') || b.max_per_response - a.max_per_response);
  return (
    <Table<Field>
      size="small"
      pagination={false}
      scroll={{ x: 'max-content' }}
      rowKey={(s) => `${s.in} ${s.path} ${s.type} ${s.masked}`}
      dataSource={list}
      aria-label={t('data')}
      columns={[
        { title: t('type'), key: 'type', width: 150, render: (_, s) => <Chip kind="type" value={s.type} /> },
        { title: t('in'), key: 'in', width: 80, render: (_, s) => t(`in.${s.in}`) },
        { title: t('path'), key: 'path', width: 300, render: (_, s) => <Inert code text={s.path} /> },
        { title: t('state'), key: 'masked', width: 110, render: (_, s) => (s.masked ? <span className="soft">{t('masked')}</span> : <b className="plain">{t('plain')}</b>) },
        { title: t('most'), key: 'most', width: 110, align: 'right', render: (_, s) => (s.max_per_response ? <Amount n={s.max_per_response} /> : '–') },
        { title: t('times'), key: 'times', width: 110, align: 'right', render: (_, s) => <Amount n={s.exchanges} /> },
      ]}
    />
  );
}
