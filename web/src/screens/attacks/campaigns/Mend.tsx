import { useQueries } from '@tanstack/react-query';
import { client, type Schemas } from '../../../api/client';
import { ApiChip } from '../../../parts/Known';
import { Chip } from '../../../parts/Chip';
import { Sentence } from '../../../parts/Sentence';
import { DefectStatus, Severity } from '../../../parts/Tags';
import { useName, useText } from '../../../text/text';
import { text } from '../text';

const grave = ['critical', 'high', 'elevated', 'moderate'];
const shut = ['fixed', 'false_positive', 'accepted_risk', 'retired'];

type Defect = Pick<Schemas['Defect'], 'id' | 'severity' | 'status'>;

/** inOrder puts defects in the order in which they should be mended: open ones first, the gravest first. */
export function inOrder<D extends Defect>(list: readonly D[]): D[] {
  const closed = (d: Defect) => (shut.includes(d.status) ? 1 : 0);
  return [...list].sort((a, b) => closed(a) - closed(b) || grave.indexOf(a.severity) - grave.indexOf(b.severity) || (a.id < b.id ? -1 : 1));
}

/** Mend lists the defects that a campaign uses, the one to be mended first at the top. */
export function Mend({ of: c }: { of: Schemas['Campaign'] }) {
  const t = useText(text);
  const name = useName();
  const all = useQueries({
    queries: c.through.slice(0, 20).map((id) => ({
      queryKey: ['get', '/api/v1/defects/{id}', { params: { path: { id } } }],
      queryFn: async ({ signal }: { signal: AbortSignal }) => (await client.GET('/api/v1/defects/{id}', { params: { path: { id } }, signal })).data!,
      retry: false,
    })),
  });
  const list = inOrder(all.flatMap((q) => (q.data ? [q.data] : [])));
  const missing = c.through.filter((id) => !list.some((d) => d.id === id));
  return (
    <section className="card">
      <h2>{t('mend')}</h2>
      {c.through.length === 0 && <p className="atk-sub">{t('mendNone')}</p>}
      <ol className="atk-mend-list">
        {list.map((d) => (
          <li key={d.id}>
            <span>
              <span className="atk-state-line">
                <Chip kind="defect" value={d.id} label={name('defect_kind', d.kind)} />
                <Severity level={d.severity} />
                <DefectStatus status={d.status} />
                {d.api && <ApiChip id={d.api} />}
              </span>
              <span className="atk-sub">
                <Sentence of={d.advice} />
              </span>
            </span>
          </li>
        ))}
        {missing.map((id) => (
          <li key={id}>
            <Chip kind="defect" value={id} />
          </li>
        ))}
      </ol>
    </section>
  );
}
