import { Input } from 'antd';
import { useEffect, useState } from 'react';
import { PageHead } from '../../parts/PageHead';
import { useUrl } from '../../parts/url';
import { useText } from '../../text/text';
import { EntityView } from './EntityView';
import { Feeds } from './Feeds';
import { Hits } from './Hits';
import { Lookup } from './Lookup';
import { Words } from './Words';
import { Worst } from './Worst';
import { entityOf, evident } from './entity';
import './style.css';
import { text } from './text';

/** Intelligence answers what is known of something; unasked, it shows the most hostile of late. */
export default function Intelligence() {
  const t = useText(text);
  const url = useUrl();
  const q = url.get('q')?.trim() ?? '';
  const named = url.get('entity');
  const entity = (named ? entityOf(named) : undefined) ?? (q ? evident(q) : undefined);
  const [typed, setTyped] = useState(q);
  useEffect(() => setTyped(q), [q]);
  return (
    <>
      <PageHead title={t('title')}>{t('intro')}</PageHead>
      <Input.Search
        className="intel-search"
        size="large"
        allowClear
        placeholder={t('hint')}
        aria-label={t('hint')}
        value={typed}
        maxLength={200}
        onChange={(e) => setTyped(e.target.value)}
        onSearch={(v) => url.set({ q: v.trim() || null, entity: null }, { push: true })}
      />
      {!q && !entity && (
        <div className="intel-unasked">
          <Worst />
          <Feeds />
          <Words />
        </div>
      )}
      {entity && (
        <section className="card" style={{ marginBottom: 12 }}>
          <EntityView key={`${entity.kind} ${entity.value}`} of={entity} />
        </section>
      )}
      {q && !entity && <Lookup value={q} quiet />}
      {q && <Hits q={q} quiet={Boolean(entity)} />}
    </>
  );
}
