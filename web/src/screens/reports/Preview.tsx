import { Spin } from 'antd';
import { useState, type RefObject } from 'react';
import { link, Trouble, type Problem } from '../../api/client';
import { safeParse } from '../../api/parse';
import { TroubleView } from '../../parts/TroubleView';
import { useText } from '../../text/text';
import { text } from './text';

/**
 * Preview shows the report as the server gives it, in a frame in which nothing
 * runs. What the server refuses comes as a problem in place of the page.
 */
export function Preview({ path, title, frame, shown }: { path: string; title: string; frame: RefObject<HTMLIFrameElement | null>; shown: (yes: boolean) => void }) {
  const t = useText(text);
  const [state, setState] = useState<'loading' | 'shown' | { trouble: Trouble }>('loading');
  const [turn, setTurn] = useState(0);
  const loaded = () => {
    const page = frame.current?.contentDocument;
    if (page?.contentType === 'text/html' && page.title !== '') {
      setState('shown');
      shown(true);
      return;
    }
    const problem = safeParse(page?.body?.textContent ?? '') as Problem | undefined;
    const status = typeof problem?.status === 'number' ? problem.status : 0;
    if (status === 401) link.expired();
    setState({ trouble: new Trouble(status, typeof problem?.title === 'string' ? problem : undefined) });
    shown(false);
  };
  const again = () => {
    setState('loading');
    setTurn(turn + 1);
  };
  return (
    <div className="report-frame">
      {state === 'loading' && (
        <div className="report-making" role="status">
          <Spin /> {t('making')}
        </div>
      )}
      {typeof state === 'object' && <TroubleView error={state.trouble} retry={again} />}
      <iframe
        key={turn}
        ref={frame}
        src={path}
        title={title}
        sandbox="allow-same-origin allow-modals"
        onLoad={loaded}
        className={state === 'shown' ? '' : 'report-hidden'}
      />
    </div>
  );
}
