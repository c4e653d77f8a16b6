import { useCallback, useRef, useState } from 'react';

/**
 * useDraft keeps what somebody types for this tab of the browser: through
 * errors, other pages and reloads, until it was sent or put away.
 */
export function useDraft<T>(name: string, initial: T): [draft: T, change: (draft: T) => void, forget: () => void] {
  const key = `xiezhi.draft.${name}`;
  const [draft, setDraft] = useState<T>(() => read(key) ?? initial);
  const first = useRef(initial);
  const change = useCallback(
    (next: T) => {
      setDraft(next);
      try {
        sessionStorage.setItem(key, JSON.stringify(next));
      } catch {
        // kept for this page only
      }
    },
    [key],
  );
  const forget = useCallback(() => {
    setDraft(first.current);
    try {
      sessionStorage.removeItem(key);
    } catch {
      // nothing was kept
    }
  }, [key]);
  return [draft, change, forget];
}

function read<T>(key: string): T | undefined {
  try {
    const kept = sessionStorage.getItem(key);
    return kept === null ? undefined : (JSON.parse(kept) as T);
  } catch {
    return undefined;
  }
}
