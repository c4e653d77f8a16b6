import { api } from '../../api/client';
import { Bars } from '../../charts/Bars';
import { useFormat } from '../../parts/useFormat';
import { useLang, useText } from '../../text/text';
import { abroadOf } from './abroad';
import { Card, scopeOf, State, type Asked } from './Side';
import { text } from './text';
import { useOpen } from '../../shell/drawer';

/** Personal records that went to other countries than the one where most go. */
export function Border(asked: Asked) {
  const t = useText(text);
  const f = useFormat();
  const lang = useLang();
  const open = useOpen();
  const q = api.useQuery('get', '/api/v1/observations/top', { params: { query: { ...scopeOf(asked), of: 'country', measure: 'subjects', limit: 20 } } }, { enabled: asked.period.ready, placeholderData: (b) => b });
  const land = (code: string) => {
    try {
      return new Intl.DisplayNames([lang === 'zh' ? 'zh-CN' : 'en-GB'], { type: 'region' }).of(code) ?? code;
    } catch {
      return code;
    }
  };
  const a = q.data && abroadOf(q.data.items, q.data.total);
  return (
    <Card title={t('border')}>
      <State q={q} />
      {a &&
        (a.total === 0 ? (
          <p className="soft">{t('nothing')}</p>
        ) : !a.home ? (
          <p className="soft">{t('borderUnknown')}</p>
        ) : (
          <>
            <p>{a.abroad > 0 ? <b className="taken-part">{t('borderSum', { n: f.number(a.abroad), share: f.percent(a.abroad / a.total) })}</b> : t('borderNone')}</p>
            <Bars rows={a.lands.map((x) => ({ key: x.key, label: land(x.key), value: x.value, text: f.number(x.value), open: () => open('entity', `country~${x.key}`) }))} />
            <p className="soft hint">
              {t('borderHome', { home: land(a.home) })}
              {a.unknown > 0 && ` · ${t('borderPart', { n: f.number(a.unknown) })}`}
            </p>
          </>
        ))}
    </Card>
  );
}
