import { useEffect } from 'react';

/** useKeys calls what a key stands for, unless somebody types or holds a modifier. */
export function useKeys(keys: Record<string, () => void>) {
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
      const at = e.target as HTMLElement | null;
      if (at?.closest('input, textarea, select, [contenteditable], .ant-select, .ant-picker, [role="menu"]')) return;
      const act = keys[e.key];
      if (!act) return;
      e.preventDefault();
      act();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, [keys]);
}
