import { client, type Schemas } from '../../../api/client';
import { Chip } from '../../../parts/Chip';
import { DataTable } from '../../../parts/DataTable';
import { Inert } from '../../../parts/Inert';
import { Teach } from '../../../parts/Teach';
import { usePaged } from '../../../parts/usePaged';
import { useFormat } from '../../../parts/useFormat';
import { Amount, When } from '../../../parts/When';
import { useName, useText } from '../../../text/text';
import { text } from './text';

type Row = Schemas['Observation'];

/** Samples are the latest requests of an API: tokens, names and numbers, no values. */
export function Samples({ id }: { id: string }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const paged = usePaged<Row>('/api/v1/observations', { api: id }, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/observations', { params: { query: { api: id, cursor, limit: 100 } }, signal });
    return data!;
  });
  return (
    <DataTable<Row>
      label={t('samplesLabel')}
      paged={paged}
      rowKey={(o) => `${o.exchange} ${o.time}`}
      height={Math.max(260, window.innerHeight - 380)}
      empty={<Teach title={t('noRows')}>{t('noRowsDo')}</Teach>}
      columns={[
        { key: 'time', title: t('time'), width: 165, render: (_, o) => <When at={o.time} detail="second" /> },
        { key: 'verdict', title: t('verdict'), width: 84, render: (_, o) => <span className={`row-verdict row-${o.verdict}`}>{t(o.verdict)}</span> },
        { key: 'status', title: t('status'), width: 76, render: (_, o) => o.status ?? '–' },
        { key: 'client', title: t('client'), width: 150, ellipsis: true, render: (_, o) => (o.client ? <Chip kind="client" value={o.client} /> : '–') },
        { key: 'who', title: t('who'), width: 150, ellipsis: true, render: (_, o) => (o.actor ? <Chip kind="actor" value={o.actor} /> : o.session ? <Chip kind="session" value={o.session} /> : '–') },
        { key: 'network', title: t('network'), width: 120, ellipsis: true, render: (_, o) => [o.country, o.network && name('network_type', o.network)].filter(Boolean).join(' · ') || '–' },
        { key: 'types', title: t('types'), width: 150, ellipsis: true, render: (_, o) => (o.types.length ? <Inert text={o.types.map((x) => name('sensitive', x)).join(', ')} /> : '–') },
        { key: 'people', title: t('people'), width: 84, align: 'right', render: (_, o) => (o.subjects ? <Amount n={o.subjects} /> : '–') },
        { key: 'size', title: t('size'), width: 92, align: 'right', render: (_, o) => f.bytes(o.bytes_out) },
        { key: 'latency', title: t('latency'), width: 84, align: 'right', render: (_, o) => `${Math.max(1, Math.round(o.latency / 1000))} ms` },
      ]}
    />
  );
}
