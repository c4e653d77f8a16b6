import { client, type Schemas } from '../../../api/client';
import { DataTable } from '../../../parts/DataTable';
import { Sentence } from '../../../parts/Sentence';
import { DefectStatus, Severity, Verdict } from '../../../parts/Tags';
import { Teach } from '../../../parts/Teach';
import { usePaged } from '../../../parts/usePaged';
import { Amount, When } from '../../../parts/When';
import { useOpen } from '../../../shell/drawer';
import { useName, useText } from '../../../text/text';
import { text } from './text';

const height = () => Math.max(260, window.innerHeight - 380);

/** The defects of an API. */
export function DefectList({ id }: { id: string }) {
  const t = useText(text);
  const name = useName();
  const open = useOpen();
  const paged = usePaged<Schemas['Defect']>('/api/v1/defects', { api: id }, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/defects', { params: { query: { api: id, sort: 'severity', cursor, limit: 100 } }, signal });
    return data!;
  });
  return (
    <DataTable<Schemas['Defect']>
      label={t('defects')}
      paged={paged}
      rowKey={(d) => d.id}
      height={height()}
      open={(d) => open('defect', d.id)}
      empty={<Teach title={t('noDefects')} />}
      columns={[
        { key: 'severity', title: t('severity'), width: 100, render: (_, d) => <Severity level={d.severity} /> },
        { key: 'kind', title: t('kind'), width: 190, ellipsis: true, render: (_, d) => name('defect_kind', d.kind) },
        { key: 'status', title: t('state'), width: 110, render: (_, d) => <DefectStatus status={d.status} /> },
        { key: 'reason', title: '', width: 360, ellipsis: true, render: (_, d) => <Sentence of={d.reason} /> },
        { key: 'last', title: t('last'), width: 145, render: (_, d) => <When at={d.last_seen} /> },
      ]}
    />
  );
}

/** The attacks on an API. */
export function AttackList({ id }: { id: string }) {
  const t = useText(text);
  const name = useName();
  const open = useOpen();
  const paged = usePaged<Schemas['Attack']>('/api/v1/attacks', { api: id }, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/attacks', { params: { query: { api: id, cursor, limit: 100 } }, signal });
    return data!;
  });
  return (
    <DataTable<Schemas['Attack']>
      label={t('attacks')}
      paged={paged}
      rowKey={(x) => x.id}
      height={height()}
      open={(x) => open('attack', x.id)}
      empty={<Teach title={t('noAttacks')} />}
      columns={[
        { key: 'verdict', title: t('verdict'), width: 100, render: (_, x) => <Verdict verdict={x.verdict} /> },
        { key: 'kind', title: t('kind'), width: 150, ellipsis: true, render: (_, x) => name('attack_kind', x.kind) },
        { key: 'reason', title: '', width: 380, ellipsis: true, render: (_, x) => <Sentence of={x.reason} /> },
        { key: 'requests', title: t('requests'), width: 90, align: 'right', render: (_, x) => <Amount n={x.requests} /> },
        { key: 'people', title: t('people'), width: 90, align: 'right', render: (_, x) => <Amount n={x.subjects_exposed} /> },
        { key: 'last', title: t('last'), width: 145, render: (_, x) => <When at={x.last_seen} /> },
      ]}
    />
  );
}
