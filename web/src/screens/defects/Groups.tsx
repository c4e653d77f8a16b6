import { Segmented, Tag } from 'antd';
import { useMemo, useState } from 'react';
import { Severity } from '../../parts/Tags';
import { useUrl } from '../../parts/url';
import { useFormat } from '../../parts/useFormat';
import { useLang, useName, useText } from '../../text/text';
import { groupsOf, type By, type Defect } from './groups';
import { owasp } from './owasp';
import { text } from './text';

/** Groups lead from a class of defects to its kinds. */
export function Groups({ all, partly }: { all: readonly Defect[]; partly: boolean }) {
  const t = useText(text);
  const name = useName();
  const lang = useLang();
  const f = useFormat();
  const url = useUrl();
  const [by, setBy] = useState<By>(url.get('owasp') ? 'owasp' : 'class');
  const groups = useMemo(() => groupsOf(all, by), [all, by]);
  const at = url.get(by);
  const kind = url.all('kind');
  return (
    <div className="groups">
      <Segmented<By> block size="small" value={by} onChange={setBy} options={[{ value: 'class', label: t('byClass') }, { value: 'owasp', label: t('byOwasp') }]} aria-label={t('group')} />
      <button type="button" className="group" aria-current={!at && kind.length === 0} onClick={() => url.set({ class: null, owasp: null, kind: null })}>
        <span>{t('everything')}</span>
        <span className="soft">{f.number(all.length)}</span>
      </button>
      {groups.map((g) => (
        <div key={g.id}>
          <button type="button" className="group" aria-current={at === g.id && kind.length === 0} onClick={() => url.set({ class: null, owasp: null, kind: null, [by]: g.id })}>
            <span className="group-name">
              {by === 'owasp' && <Tag>{g.id.split(':')[0]}</Tag>}
              {by === 'class' ? name('defect_class', g.id) : (owasp[g.id]?.[lang] ?? g.id)}
            </span>
            <Severity level={g.worst} />
            <span className="soft">{f.number(g.count)}</span>
          </button>
          {at === g.id && (
            <ul className="group-kinds">
              {g.kinds.map((k) => (
                <li key={k.id}>
                  <button type="button" className="group" aria-current={kind.includes(k.id)} onClick={() => url.set({ kind: kind.includes(k.id) ? null : k.id })}>
                    <span>{name('defect_kind', k.id)}</span>
                    <span className="soft">{f.number(k.count)}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
        </div>
      ))}
      {partly && <p className="soft">{t('partly', { n: f.exact(all.length) })}</p>}
    </div>
  );
}
