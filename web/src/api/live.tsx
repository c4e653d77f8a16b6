import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import { safeParse } from './parse';

export type LiveState = 'live' | 'waiting' | 'off';

const Context = createContext<LiveState>('off');

export const useLive = () => useContext(Context);

/** Calm: however much happens, what is on the screen is read anew at most this often. */
const every = 5000;

/** What an event of a topic makes old: the first parts of paths. */
const touches: Record<string, readonly string[]> = {
  api: ['/api/v1/apis', '/api/v1/counts/apis', '/api/v1/exposure', '/api/v1/overview'],
  defect: ['/api/v1/defects', '/api/v1/counts/defects', '/api/v1/agenda', '/api/v1/overview'],
  attack: ['/api/v1/attacks', '/api/v1/counts/attacks', '/api/v1/agenda', '/api/v1/overview', '/api/v1/counts/activity'],
  campaign: ['/api/v1/campaigns', '/api/v1/counts/campaigns', '/api/v1/overview'],
  site: ['/api/v1/sites'],
  policy: ['/api/v1/policy'],
  status: ['/api/v1/status', '/api/v1/sensors', '/api/v1/overview'],
};

/** LiveProvider listens to the service and has what is shown read anew, calmly. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [state, setState] = useState<LiveState>('waiting');

  useEffect(() => {
    const old = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      timer = undefined;
      if (document.hidden) return; // read anew when somebody looks again
      const paths = [...old];
      old.clear();
      void queries.invalidateQueries({
        predicate: (q) => typeof q.queryKey[1] === 'string' && paths.some((p) => (q.queryKey[1] as string).startsWith(p)),
      });
    };
    const note = (topic: string) => {
      for (const p of touches[topic] ?? []) old.add(p);
      timer ??= setTimeout(refresh, every);
    };
    const seen = () => {
      if (!document.hidden && old.size > 0) timer ??= setTimeout(refresh, 200);
    };
    document.addEventListener('visibilitychange', seen);

    let source: EventSource | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    let wait = 1000;
    let away = false; // events were lost since the last one that came
    const open = () => {
      source = new EventSource('/api/v1/events');
      source.onopen = () => {
        wait = 1000;
        setState('live');
        if (away) Object.keys(touches).forEach(note); // what happened meanwhile
        away = false;
      };
      const listen = (e: MessageEvent<string>) => {
        const data = safeParse(e.data) as { topic?: string } | undefined;
        note(data?.topic ?? e.type);
      };
      source.onmessage = listen;
      for (const topic of Object.keys(touches)) source.addEventListener(topic, listen);
      // What was missed while events were lost is read anew as well.
      for (const gap of ['lost', 'reset']) source.addEventListener(gap, () => Object.keys(touches).forEach(note));
      source.onerror = () => {
        setState('waiting');
        away = true;
        if (source?.readyState === EventSource.CLOSED) {
          again = setTimeout(open, wait);
          wait = Math.min(wait * 2, 60_000);
        }
      };
    };
    open();
    return () => {
      document.removeEventListener('visibilitychange', seen);
      clearTimeout(timer);
      clearTimeout(again);
      source?.close();
    };
  }, [queries]);

  return <Context.Provider value={state}>{children}</Context.Provider>;
}
