import { Link } from 'react-router';
import { Chip } from '../../parts/Chip';
import { Sentence } from '../../parts/Sentence';
import { Severity } from '../../parts/Tags';
import { useFormat } from '../../parts/useFormat';
import { When } from '../../parts/When';
import { useOpen } from '../../shell/drawer';
import { useName, useText } from '../../text/text';
import { links, type Scope } from './links';
import { text } from './text';
import type { Figures } from './useOverview';

type Todo = Figures['agenda'][number];

const heads = { attack: 'todoAttack', regression: 'todoRegression', defect: 'todoDefect', source: 'todoSource' } as const;

/** What a person should do first, why, and how. */
export function TodoCard({ of, scope, large }: { of: readonly Todo[]; scope: Scope; large?: boolean }) {
  const t = useText(text);
  return (
    <section className="card todo-card">
      <h2>{t('todo')}</h2>
      {!large && (
        <div className="card-tools">
          <Link to={links.defects(scope)}>{t('more')}</Link>
        </div>
      )}
      {of.length === 0 ? <p className="soft">{t('todoNone')}</p> : null}
      <ol className="todo">
        {of.map((x) => (
          <Item key={`${x.kind}-${x.id}`} x={x} large={large} />
        ))}
      </ol>
    </section>
  );
}

function Item({ x, large }: { x: Todo; large?: boolean }) {
  const t = useText(text);
  const f = useFormat();
  const name = useName();
  const open = useOpen();
  const title =
    x.kind === 'attack' ? name('attack_kind', x.what)
    : x.kind === 'source' ? name('quality', x.what)
    : name('defect_kind', x.what);
  return (
    <li>
      <div className="todo-head">
        <Severity level={x.severity} />
        <span className="todo-title">
          {x.kind === 'source' ? (
            <Link to={links.sources()}>{title}</Link>
          ) : (
            <button type="button" className="as-link" onClick={() => open(x.kind === 'attack' ? 'attack' : 'defect', x.id)}>
              {title}
            </button>
          )}
        </span>
        <span className="soft todo-marks">
          <span>{t(heads[x.kind as keyof typeof heads] ?? 'todoDefect')}</span>
          {x.exploited && x.kind !== 'attack' && <span className="mark-exploited">{t('exploited')}</span>}
          {x.people > 0 && <span>{t('people', { n: f.number(x.people) })}</span>}
          {x.site && (large ? <span>{x.site}</span> : <Chip kind="site" value={x.site} filter="site" />)}
          {x.since && !large && <When at={x.since} relative />}
        </span>
      </div>
      <p className="todo-why">
        <Sentence of={x.reason} />
      </p>
      <p className="todo-do">
        <strong>{t('todoDo')}</strong> <Sentence of={x.do} />
      </p>
    </li>
  );
}
