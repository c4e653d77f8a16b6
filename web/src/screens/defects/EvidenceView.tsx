import { CopyOutlined } from '@ant-design/icons';
import { App, Button, Segmented } from 'antd';
import { useState } from 'react';
import { Inert } from '../../parts/Inert';
import { Sentence } from '../../parts/Sentence';
import { useText } from '../../text/text';
import { curlOf, linesOf, type Line } from './evidence';
import type { Defect } from './groups';
import { text } from './panelText';

/** EvidenceView shows what requests and their answers looked like, the point of it marked. */
export function EvidenceView({ of: d, host }: { of: Defect; host?: string }) {
  const t = useText(text);
  const { message, modal } = App.useApp();
  const [n, setN] = useState(0);
  const e = d.evidence[Math.min(n, d.evidence.length - 1)]!;
  const curl = curlOf(e, host);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(curl!);
      message.success(t('copied'));
    } catch {
      modal.info({ title: t('refused'), content: <pre className="to-copy">{curl}</pre>, width: 720, icon: null });
    }
  };
  const pair = (e.request?.length ?? 0) + (e.response?.length ?? 0) > 0;
  return (
    <section className="gap">
      <div className="section-head">
        <h3>{t('evidence')}</h3>
        {d.evidence.length > 1 && (
          <Segmented size="small" value={n} onChange={setN} options={d.evidence.map((_, i) => ({ value: i, label: String(i + 1) }))} aria-label={t('evidence')} />
        )}
        <span className="grow" />
        {curl && (
          <Button size="small" icon={<CopyOutlined />} onClick={() => void copy()}>
            {t('curl')}
          </Button>
        )}
      </div>
      <p>
        <Sentence of={e.what} /> {e.value && <Inert code text={e.value} />}
      </p>
      {pair ? (
        <>
          <div className="evidence-pair">
            <Side title={t('request')} lines={linesOf(e, 'request', d.class === 'unauthorized_access')} />
            <Side title={t('response')} lines={linesOf(e, 'response', d.class === 'unauthorized_access')} />
          </div>
          <p className="soft small-note">
            {t('redacted')} {t('exchange')} <Inert code text={e.exchange} />
          </p>
        </>
      ) : (
        <p className="soft small-note">
          {t('noPair')} {t('exchange')} <Inert code text={e.exchange} />
        </p>
      )}
    </section>
  );
}

function Side({ title, lines }: { title: string; lines: readonly Line[] }) {
  return (
    <div className="evidence-side">
      <h4>{title}</h4>
      {lines.length === 0 && <span className="soft">–</span>}
      {lines.map((l, i) => (
        <div key={i} className={l.hot ? 'evidence-line hot' : 'evidence-line'}>
          {l.hot ? (
            <mark>
              <Inert code text={l.text} />
            </mark>
          ) : (
            <Inert code text={l.text} />
          )}
        </div>
      ))}
    </div>
  );
}
