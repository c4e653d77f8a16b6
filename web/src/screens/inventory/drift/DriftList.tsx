import { Tag } from 'antd';
import { useMemo } from 'react';
import type { Schemas } from '../../../api/client';
import { DataTable } from '../../../parts/DataTable';
import { Inert } from '../../../parts/Inert';
import { Method } from '../../../parts/Tags';
import { Teach } from '../../../parts/Teach';
import { Amount, When } from '../../../parts/When';
import { useOpen } from '../../../shell/drawer';
import { useText, type Args } from '../../../text/text';
import { text } from './text';

export type Item = Schemas['Drift']['items'][number];

/** useSay puts a difference into words. */
export function useSay(): (i: Item) => string {
  const t = useText(text);
  return useMemo(() => {
    return (i) => {
      const args: Args = { where: i.where ?? '', name: i.name ?? '', expected: i.expected ?? '', observed: i.observed ?? '' };
      switch (i.kind) {
        case 'shadow':
        case 'zombie':
        case 'deprecated_version':
        case 'orphan':
          return t(`say.${i.kind}`);
        case 'type_mismatch':
          return t('say.type_mismatch', args);
        default:
          return t('say.undocumented', args);
      }
    };
  }, [t]);
}

/** DriftList is what differs, by API. */
export function DriftList({ items, none, height }: { items: readonly Item[]; none: string; height?: number }) {
  const t = useText(text);
  const say = useSay();
  const open = useOpen();
  return (
    <DataTable<Item>
      label={t('title')}
      height={height}
      paged={{ rows: items, total: items.length, more: false, next: () => {}, loading: false, error: undefined, retry: () => {} }}
      rowKey={(i) => [i.kind, i.host, i.method, i.template, i.where, i.name, i.file, i.line].join('|')}
      open={(i) => i.api && open('api', i.api)}
      empty={<Teach title={none} />}
      columns={[
        { key: 'kind', title: t('what'), width: 130, render: (_, i) => <Tag className={`drift drift-${i.kind}`}>{t(`kind.${i.kind}`)}</Tag> },
        { key: 'api', title: t('api'), width: 360, ellipsis: true, render: (_, i) => (
          <>
            <Method method={i.method} /> <Inert code text={i.template} />
          </>
        ) },
        { key: 'detail', title: t('detail'), width: 300, render: (_, i) => <Inert text={say(i)} /> },
        { key: 'calls', title: t('calls'), width: 100, align: 'right', render: (_, i) => (i.kind === 'orphan' ? '–' : <Amount n={i.exchanges} />) },
        { key: 'last', title: t('last'), width: 145, render: (_, i) => <When at={i.last_seen} /> },
        { key: 'at', title: t('at'), width: 150, ellipsis: true, render: (_, i) => (i.file ? <Inert text={`${i.file}${i.line ? ` ${t('line', { n: i.line })}` : ''}`} /> : '–') },
      ]}
    />
  );
}
