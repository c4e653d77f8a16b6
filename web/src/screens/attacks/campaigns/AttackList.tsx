import { Button, Table } from 'antd';
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { client, type Schemas } from '../../../api/client';
import { Inert } from '../../../parts/Inert';
import { ApiChip } from '../../../parts/Known';
import { Verdict } from '../../../parts/Tags';
import { useFormat } from '../../../parts/useFormat';
import { Amount, When } from '../../../parts/When';
import { useOpen } from '../../../shell/drawer';
import { useName, useText } from '../../../text/text';
import { text } from '../text';

const step = 20;

/** AttackList shows the attacks of a campaign, the latest first, some at a time. */
export function AttackList({ of: c }: { of: Schemas['Campaign'] }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const open = useOpen();
  const [n, setN] = useState(step);
  const ids = [...c.attacks].reverse().slice(0, n);
  const all = useQueries({
    queries: ids.map((id) => ({
      queryKey: ['name', 'attack whole', id],
      queryFn: async ({ signal }: { signal: AbortSignal }) => {
        const { data } = await client.GET('/api/v1/attacks/{id}', { params: { path: { id } }, signal });
        return data!;
      },
      staleTime: 60_000,
      retry: false,
    })),
  });
  const rows = all.flatMap((q) => (q.data ? [q.data] : []));
  return (
    <section className="card">
      <h2>
        {t('attacksOf')} <span className="atk-sub">{t('attacksPart', { n: f.exact(ids.length), all: f.exact(c.attacks.length) })}</span>
      </h2>
      <Table
        size="small"
        pagination={false}
        rowKey="id"
        loading={rows.length === 0 && all.some((q) => q.isPending)}
        scroll={{ x: 'max-content' }}
        dataSource={rows}
        columns={[
          {
            key: 'kind', title: t('kind'),
            render: (_, a) => (
              <button type="button" className="as-link" onClick={() => open('attack', a.id)}>
                {name('attack_kind', a.kind)}
              </button>
            ),
          },
          { key: 'verdict', title: t('verdict'), render: (_, a) => <Verdict verdict={a.verdict} /> },
          { key: 'site', title: t('site'), render: (_, a) => <Inert text={a.site} /> },
          { key: 'api', title: t('api'), render: (_, a) => (a.apis[0] ? <ApiChip id={a.apis[0]} /> : '–') },
          { key: 'requests', title: t('nRequests'), align: 'right', render: (_, a) => <Amount n={a.requests} /> },
          { key: 'ok', title: t('succeeded'), align: 'right', render: (_, a) => <Amount n={a.succeeded} /> },
          { key: 'no', title: t('blocked'), align: 'right', render: (_, a) => <Amount n={a.blocked} /> },
          { key: 'people', title: t('people'), align: 'right', render: (_, a) => <Amount n={a.subjects_exposed} /> },
          { key: 'ips', title: t('addresses'), align: 'right', render: (_, a) => <Amount n={a.actors.ip_count} /> },
          { key: 'first', title: t('began'), render: (_, a) => <When at={a.first_seen} /> },
        ]}
      />
      {c.attacks.length > n && (
        <Button className="no-print" style={{ marginTop: 8 }} onClick={() => setN(n + step)}>
          {t('loadMore')}
        </Button>
      )}
    </section>
  );
}
