import { Timeline } from 'antd';
import type { Schemas } from '../../../api/client';
import { Inert } from '../../../parts/Inert';
import { When } from '../../../parts/When';
import { useName, useText } from '../../../text/text';
import { EditLine } from '../edit/EditNotes';
import type { Entry } from '../edits';
import { text } from './text';

type Change = NonNullable<Schemas['API']['contract']>['changes'][number];

/** History is what an API came to do that it had not done, and what people said of it. */
export function History({ api, edits }: { api: Schemas['API']; edits: readonly Entry[] }) {
  const t = useText(text);
  const name = useName();
  const say = (c: Change) => {
    const auth = (v?: string) => (c.kind === 'auth_changed' && v ? name('auth', v) : (v ?? ''));
    const where = c.where && `in.${c.where}` in text ? t(`in.${c.where}` as 'in.query') : c.where && /^\d/.test(c.where) ? t('response', { status: c.where }) : (c.where ?? '');
    return t(`change.${c.kind}`, { where, name: c.name ?? '', from: auth(c.from), to: auth(c.to) });
  };
  const changes = [...(api.contract?.changes ?? [])].reverse();
  return (
    <>
      {edits.length > 0 && (
        <section className="gap">
          <h3>{t('edits')}</h3>
          {edits.map((e) => (
            <EditLine key={e.id} of={e} />
          ))}
        </section>
      )}
      <section className="gap">
        <h3>{t('changes')}</h3>
        <Timeline
          items={[
            ...changes.map((c, i) => ({
              key: `${c.time}${i}`,
              content: (
                <>
                  <When at={c.time} /> <Inert text={say(c)} />{' '}
                  <span className="soft">
                    {t('firstExchange')} <Inert code text={c.exchange} />
                  </span>
                </>
              ),
            })),
            {
              key: 'first',
              content: (
                <>
                  <When at={api.first_seen} /> {t('found')}
                  {changes.length === 0 && <span className="soft"> · {t('noChanges')}</span>}
                </>
              ),
            },
          ]}
        />
      </section>
    </>
  );
}
