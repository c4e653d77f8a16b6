import { Skeleton } from 'antd';
import { Link } from 'react-router';
import { api, type Schemas } from '../../api/client';
import { Chip } from '../../parts/Chip';
import { Inert } from '../../parts/Inert';
import { DefectStatus, Severity, Verdict } from '../../parts/Tags';
import { Teach } from '../../parts/Teach';
import { TroubleView } from '../../parts/TroubleView';
import { When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { inert } from '../../text/inert';
import { useName, useText } from '../../text/text';
import { text } from './text';

type Group = Schemas['SearchGroup'];
type Hit = Schemas['SearchHit'];

/** What the view of an entity tells already. */
const told: readonly Group['kind'][] = ['client', 'prefix', 'asn', 'attack', 'campaign'];

const drawers = ['api', 'defect', 'attack', 'campaign'] as const;

/** Hits are what a search found, by kind; quiet beside the view of what was looked for. */
export function Hits({ q, quiet }: { q: string; quiet: boolean }) {
  const t = useText(text);
  const found = api.useQuery('get', '/api/v1/search', { params: { query: { q } } }, { retry: false });
  if (found.error && !found.data) return <TroubleView error={found.error} retry={found.refetch} />;
  if (!found.data) return <Skeleton active />;
  const groups = found.data.groups.filter((g) => g.hits.length > 0 && !(quiet && told.includes(g.kind)));
  if (groups.length === 0) return quiet ? null : <Teach title={t('nothing', { q: inert(q) })}>{t('nothingDo')}</Teach>;
  return (
    <div className="intel-hits">
      {groups.map((g) => (
        <section key={g.kind} className="card">
          <h2>{t(g.kind)}</h2>
          <ul className="intel-hit-list">
            {g.hits.map((h) => (
              <li key={h.id}>
                <One kind={g.kind} of={h} />
              </li>
            ))}
          </ul>
          {g.more && <p className="intel-sub">{t('more')}</p>}
        </section>
      ))}
    </div>
  );
}

function One({ kind, of: h }: { kind: Group['kind']; of: Hit }) {
  const t = useText(text);
  const name = useName();
  const open = useOpen();
  const into = drawers.find((d) => d === kind);
  if (!into) {
    if (kind === 'site') return <Link to={`/inventory?${new URLSearchParams({ site: h.id })}`}><Inert text={h.id} /></Link>;
    return (
      <>
        <Chip kind={kind as Exclude<Group['kind'], (typeof drawers)[number]>} value={kind === 'asn' ? `AS${h.id.replace(/^AS/i, '')}` : h.id} />
        {h.what && <span className="intel-sub">{name('network_type', h.what)}</span>}
        {h.name && <Inert text={h.name} />}
      </>
    );
  }
  const title = { api: h.name ?? h.id, defect: name('defect_kind', h.what ?? h.id), attack: name('attack_kind', h.what ?? h.id), campaign: h.name ?? h.id }[into];
  return (
    <>
      <button type="button" className="as-link" onClick={() => open(into, h.id)}>
        <Inert text={title} code={into === 'api'} />
      </button>
      {h.site && <Inert text={h.site} />}
      {h.severity && <Severity level={h.severity} />}
      {h.state && (into === 'defect' ? <DefectStatus status={h.state} /> : into === 'attack' ? <Verdict verdict={h.state} /> : null)}
      {h.last_seen && (
        <span className="intel-sub">
          {t('last')} <When at={h.last_seen} />
        </span>
      )}
    </>
  );
}
