import { Descriptions, Skeleton } from 'antd';
import { api } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Auth, Method } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { Amount, When } from '../../parts/When';
import type { PanelProps } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { text } from './text';

export default function ApiPanel({ id }: PanelProps) {
  const t = useText(text);
  const name = useName();
  const q = api.useQuery('get', '/api/v1/apis/{id}', { params: { path: { id } } });
  if (q.error) return <TroubleView error={q.error} retry={q.refetch} />;
  if (!q.data) return <Skeleton active />;
  const a = q.data;
  return (
    <>
      <h2>
        <Method method={a.method} /> <Inert code text={a.template} />
      </h2>
      <Descriptions
        column={2}
        size="small"
        items={[
          { key: 'site', label: t('site'), children: <Inert text={a.site} /> },
          { key: 'role', label: t('role'), children: name('role', a.role) },
          { key: 'auth', label: t('auth'), children: <Auth auth={a.auth} /> },
          { key: 'exchanges', label: t('exchanges'), children: <Amount n={a.exchanges} /> },
          { key: 'last', label: t('lastSeen'), children: <When at={a.last_seen} /> },
        ]}
      />
    </>
  );
}
