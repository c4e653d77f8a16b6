import { Button } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { now } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { useFormat } from '../../parts/useFormat';
import { useUrl } from '../../parts/url';
import { useKeys } from '../../shell/keys';
import { useText } from '../../text/text';
import { Kpis } from './Kpis';
import { LatestAttacks } from './Latest';
import { Surge } from './Surge';
import { text } from './text';
import { TodoCard } from './TodoCard';
import { TrafficCard } from './TrafficCard';
import type { Figures } from './useOverview';

/** The overview on a wall: large, without anything to operate, new by itself. */
export function Kiosk({ of }: { of: Figures }) {
  const t = useText(text);
  const url = useUrl();
  const site = url.get('site');
  const scope = { from: of.from, to: of.to, site };
  const keys = useMemo(() => ({ Escape: () => url.set({ kiosk: null }) }), [url]);
  useKeys(keys);
  useEffect(() => {
    document.title = `${t('title')} · Xiezhi 獬豸`;
    document.documentElement.classList.add('on-wall');
    return () => document.documentElement.classList.remove('on-wall');
  }, [t]);
  return (
    <div className="overview wall">
      <header className="wall-head">
        <h1>
          Xiezhi <b lang="zh">獬豸</b> · {site ? <Inert text={site} /> : t('everySite')}
        </h1>
        <span className="grow" />
        <Clock />
        <span className="wall-tools">
          <Button size="small" onClick={() => void document.documentElement.requestFullscreen?.()}>
            {t('fill')}
          </Button>
          <Button size="small" onClick={() => url.set({ kiosk: null })}>
            {t('leave')}
          </Button>
        </span>
      </header>
      <Surge of={of} site={site} />
      <Kpis of={of} scope={scope} />
      <div className="overview-two even">
        <div className="overview-column">
          <TrafficCard of={of} height={300} large />
          <LatestAttacks scope={scope} most={3} />
        </div>
        <TodoCard of={of.agenda.slice(0, 4)} scope={scope} large />
      </div>
    </div>
  );
}

function Clock() {
  const f = useFormat();
  const [at, setAt] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => setAt(now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <time className="wall-clock">{f.timeIn(at, 'second')}</time>;
}
