import { Alert, Skeleton } from 'antd';
import { useEffect, useState } from 'react';
import { api, type Schemas } from '../../api/client';
import { Chip } from '../../parts/Chip';
import { Inert } from '../../parts/Inert';
import { DefectStatus, Method, Severity } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { useName, useText } from '../../text/text';
import { text } from './text';

type Entry = Schemas['PreviewEntry'];

const wide = 20;

/** Covered shows what an entry would cover, as the service sees it: APIs, defects that it would end, traffic. */
export function Covered({ entry }: { entry: Entry }) {
  const t = useText(text);
  const name = useName();
  const f = useFormat();
  const asked = useCalm(JSON.stringify(entry));
  const body = JSON.parse(asked) as Entry;
  const ready = body.template?.startsWith('/') ?? false;
  const q = api.useQuery('post', '/api/v1/policy/preview', { body }, { enabled: ready, retry: false });
  const d = q.data;
  return (
    <section className="covered" aria-live="polite">
      <h3>{t('preview')}</h3>
      {!ready ? (
        <p className="soft">{t('previewEmpty')}</p>
      ) : q.error ? (
        <TroubleView small error={q.error} retry={() => void q.refetch()} />
      ) : !d ? (
        <Skeleton active paragraph={{ rows: 3 }} title={false} />
      ) : (
        <>
          <p>{d.apis === 0 ? t('previewNone') : t('previewSome', { n: f.exact(d.apis), ends: f.exact(d.defects_total) })}</p>
          {d.apis > wide && <Alert type="warning" showIcon title={t('previewWide')} />}
          {d.rows && d.apis > 0 && (
            <p>{t('previewRows', { n: f.number(d.rows.normal + d.rows.suspicious + d.rows.attack), attack: f.number(d.rows.attack) })}</p>
          )}
          {d.attacks_total > 0 && <p>{t('previewAttacks', { n: f.exact(d.attacks_total) })}</p>}
          {d.left_out > 0 && <p className="soft">{t('previewMany', { n: f.exact(d.left_out) })}</p>}
          {d.defects.length > 0 && (
            <ul>
              {d.defects.map((x) => (
                <li key={x.id}>
                  <Severity level={x.severity} /> <Chip kind="defect" value={x.id} label={name('defect_kind', x.kind)} /> <DefectStatus status={x.status} />
                </li>
              ))}
            </ul>
          )}
          <ul>
            {d.shown.map((a) => (
              <li key={a.api}>
                <Method method={a.method} /> <Inert code text={`${a.host}${a.template}`} />
              </li>
            ))}
            {d.apis > d.shown.length && <li className="soft">{t('more', { n: f.exact(d.apis - d.shown.length) })}</li>}
          </ul>
        </>
      )}
    </section>
  );
}

/** useCalm gives a value once it has not changed for a while. */
function useCalm(value: string): string {
  const [calm, setCalm] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(value), 350);
    return () => clearTimeout(timer);
  }, [value]);
  return calm;
}
