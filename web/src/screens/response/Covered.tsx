import { Alert, Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client, type Schemas } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Auth, Method } from '../../parts/Tags';
import { TroubleView } from '../../parts/TroubleView';
import { useText } from '../../text/text';
import { covers, prefix, type Target } from './covers';
import { text } from './text';

const most = 1000; // candidates that are looked at
const wide = 20;

/** Covered shows which APIs of the catalogue a target names, by the rule of the judges. */
export function Covered({ target }: { target: Target }) {
  const t = useText(text);
  const asked = useCalm(JSON.stringify([target.site ?? '', target.host?.trim() ?? '', target.method ?? '', target.template?.trim() ?? '']));
  const [site, host, method, template] = JSON.parse(asked) as [string, string, string, string];
  const ready = template.startsWith('/');
  const q = useQuery({
    queryKey: ['get', '/api/v1/apis', 'covered', asked],
    enabled: ready,
    queryFn: async ({ signal }) => {
      const found: Schemas['API'][] = [];
      let looked = 0;
      let cursor: string | undefined;
      do {
        const { data } = await client.GET('/api/v1/apis', {
          params: { query: { site: site || undefined, text: prefix(template).slice(0, 128) || undefined, method: method || undefined, limit: 200, cursor } },
          signal,
        });
        looked += data!.items.length;
        found.push(...data!.items.filter((a) => covers({ site, host, method, template }, a)));
        cursor = data!.next;
      } while (cursor && looked < most);
      return { found, partly: Boolean(cursor), looked };
    },
  });
  const open = q.data?.found.filter((a) => (a.auth === 'none' || a.auth === 'optional') && gives(a)).length ?? 0;
  return (
    <section className="covered" aria-live="polite">
      <h3>{t('preview')}</h3>
      {!ready ? (
        <p className="soft">{t('previewEmpty')}</p>
      ) : q.error ? (
        <TroubleView small error={q.error} retry={() => void q.refetch()} />
      ) : !q.data ? (
        <Skeleton active paragraph={{ rows: 3 }} title={false} />
      ) : (
        <>
          <p>{q.data.found.length === 0 ? t('previewNone') : t('previewSome', { n: q.data.found.length, open })}</p>
          {q.data.found.length > wide && <Alert type="warning" showIcon title={t('previewWide')} />}
          {q.data.partly && <p className="soft">{t('previewMany', { n: q.data.looked })}</p>}
          <ul>
            {q.data.found.slice(0, 100).map((a) => (
              <li key={a.id}>
                <Method method={a.method} /> <Inert code text={`${a.host}${a.template}`} /> <Auth auth={a.auth} />
                {gives(a) && <span className="level level-elevated">{t('sensitiveWord')}</span>}
              </li>
            ))}
            {q.data.found.length > 100 && <li className="soft">{t('more', { n: q.data.found.length - 100 })}</li>}
          </ul>
        </>
      )}
    </section>
  );
}

const gives = (a: Schemas['API']) => a.sensitive.some((s) => s.in === 'response' && !s.masked);

/** useCalm gives a value once it has not changed for a while. */
function useCalm(value: string): string {
  const [calm, setCalm] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(value), 350);
    return () => clearTimeout(timer);
  }, [value]);
  return calm;
}
