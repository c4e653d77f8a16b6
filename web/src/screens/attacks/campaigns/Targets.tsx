import { Table } from 'antd';
import type { Schemas } from '../../../api/client';
import { Chip } from '../../../parts/Chip';
import { useFormat } from '../../../parts/useFormat';
import { Amount } from '../../../parts/When';
import { useName, useText } from '../../../text/text';
import { Result } from '../Figures';
import { text } from '../text';

const outcomes = { blocked: 'outcomeBlocked', partly: 'outcomePartly', undetected: 'outcomeUndetected' } as const;

/** Targets tells how each site stood up to a campaign. */
export function Targets({ of: c }: { of: Schemas['Campaign'] }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  return (
    <section className="card">
      <h2>{t('targets')}</h2>
      <Table
        size="small"
        pagination={false}
        rowKey="site"
        scroll={{ x: 'max-content' }}
        dataSource={c.targets}
        columns={[
          { key: 'site', title: t('site'), render: (_, x) => <Chip kind="site" value={x.site} /> },
          { key: 'industry', title: t('industry'), render: (_, x) => name('industry', x.industry) },
          { key: 'requests', title: t('nRequests'), align: 'right', render: (_, x) => <Amount n={x.requests} /> },
          { key: 'ok', title: t('succeeded'), align: 'right', render: (_, x) => <Amount n={x.succeeded} /> },
          { key: 'no', title: t('blocked'), align: 'right', render: (_, x) => <Amount n={x.blocked} /> },
          {
            key: 'bar', title: t('result'), width: 130,
            render: (_, x) => (
              <Result
                requests={x.requests} succeeded={x.succeeded} blocked={x.blocked}
                label={t('resultLabel', { ok: f.exact(x.succeeded), blocked: f.exact(x.blocked), rest: f.exact(Math.max(0, x.requests - x.succeeded - x.blocked)) })}
              />
            ),
          },
          { key: 'outcome', title: t('outcome'), render: (_, x) => <span className={`atk-outcome-${x.outcome}`}>{t(outcomes[x.outcome])}</span> },
        ]}
      />
    </section>
  );
}
