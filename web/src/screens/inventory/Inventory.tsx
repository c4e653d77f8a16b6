import type { TableProps } from 'antd';
import { client, type Schemas } from '../../api/client';
import { DataTable } from '../../parts/DataTable';
import { FilterBar } from '../../parts/FilterBar';
import { Inert } from '../../parts/Inert';
import { PageHead } from '../../parts/PageHead';
import { Auth, Method } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { useSpan, useUrl } from '../../parts/url';
import { usePaged } from '../../parts/usePaged';
import { Amount, When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { text } from './text';

type API = Schemas['API'];

export default function Inventory() {
  const t = useText(text);
  const name = useName();
  const url = useUrl();
  const open = useOpen();
  const span = useSpan('all');
  const query = { site: url.get('site'), q: url.get('q'), from: span.from, to: span.to };
  const paged = usePaged<API>('/api/v1/apis', query, async (cursor, signal) => {
    const { data } = await client.GET('/api/v1/apis', { params: { query: { ...query, cursor, limit: 200 } }, signal });
    return data!;
  });
  const columns: TableProps<API>['columns'] = [
    { key: 'method', title: t('method'), width: 80, render: (_, a) => <Method method={a.method} /> },
    { key: 'template', title: t('template'), width: 380, ellipsis: true, render: (_, a) => <Inert code text={a.template} /> },
    { key: 'site', title: t('site'), width: 200, ellipsis: true, render: (_, a) => <Inert text={a.site} /> },
    { key: 'role', title: t('role'), width: 130, render: (_, a) => name('role', a.role) },
    { key: 'auth', title: t('auth'), width: 120, render: (_, a) => <Auth auth={a.auth} /> },
    { key: 'exchanges', title: t('exchanges'), width: 110, align: 'right', render: (_, a) => <Amount n={a.exchanges} /> },
    { key: 'last_seen', title: t('lastSeen'), width: 150, render: (_, a) => <When at={a.last_seen} /> },
  ];
  return (
    <>
      <PageHead title={t('title')}>{t('intro')}</PageHead>
      <FilterBar standard="all" search={t('search')} />
      <DataTable label={t('title')} paged={paged} columns={columns} rowKey={(a) => a.id} open={(a) => open('api', a.id)} empty={<Teach title={t('none')}>{t('noneDo')}</Teach>} />
    </>
  );
}
