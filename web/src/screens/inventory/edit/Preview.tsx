import { api, type Schemas } from '../../../api/client';
import { Inert } from '../../../parts/Inert';
import { Method } from '../../../parts/Tags';
import { useText } from '../../../text/text';
import { isParameter, join, joined, literalFault, segments } from '../edits';
import { placeOf, templateOf, type Draft, type Kind } from './EditDialog';
import { text } from './text';

const most = 8;

/** Preview says what an edit will do, before it is sent. */
export function Preview({ of: a, kind, draft, roleName }: { of: Schemas['API']; kind: Kind; draft: Draft; roleName: (role: string) => string }) {
  const t = useText(text);
  const path = templateOf(a, kind, draft);
  const said: string[] = [];
  if (kind === 'split' && !literalFault(draft.literal ?? '')) {
    const at = placeOf(a, kind, draft);
    const parts = segments(a.template);
    parts[at] = draft.literal!;
    said.push(t('preview.split', { path: join(parts), template: a.template }));
    if (parts.length > at + 1) said.push(t('preview.splitBelow'));
  }
  if (kind === 'rename') {
    if (draft.title?.trim()) said.push(t('preview.rename', { title: draft.title.trim() }));
    if (path !== join(segments(a.template))) said.push(t('preview.names', { path }));
  }
  if (kind === 'role' && draft.role) said.push(t('preview.role', { from: roleName(a.role), to: roleName(draft.role) }));
  if (kind === 'merge') {
    return (
      <section className="preview" aria-live="polite">
        <h4>{t('preview')}</h4>
        <Joined of={a} at={placeOf(a, kind, draft)} name={draft.name || 'id'} />
      </section>
    );
  }
  if (said.length === 0) return null;
  return (
    <section className="preview" aria-live="polite">
      <h4>{t('preview')}</h4>
      {said.map((s) => (
        <p key={s}>
          <Inert text={s} />
        </p>
      ))}
    </section>
  );
}

function Joined({ of: a, at, name }: { of: Schemas['API']; at: number; name: string }) {
  const t = useText(text);
  const before = segments(a.template).slice(0, at);
  const fixed = before.findIndex(isParameter);
  const prefix = `/${before.slice(0, fixed < 0 ? undefined : fixed).map((s) => `${s}/`).join('')}`;
  const q = api.useQuery('get', '/api/v1/apis', { params: { query: { site: a.site, path: prefix, method: a.method, sort: 'template', limit: 500 } } });
  const list = q.data ? joined(q.data.items, a, at) : [];
  const parts = segments(a.template);
  parts[at] = `{${name}}`;
  const path = join(parts);
  return (
    <>
      <p>
        <Inert text={list.length > 1 ? t('preview.merge', { n: list.length, path }) : t('preview.mergeOne', { path })} />
      </p>
      {list.length > 1 && (
        <ul className="joined">
          {list.slice(0, most).map((x) => (
            <li key={x.id}>
              <Method method={x.method} /> <Inert code text={x.template} />
            </li>
          ))}
          {list.length > most && <li className="soft">{t('preview.more', { n: list.length - most })}</li>}
        </ul>
      )}
      <p className="soft">{t('preview.mergeBelow')}</p>
    </>
  );
}
