import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { LangContext, type Lang } from './text/text';

export type Mode = 'light' | 'dark' | 'system';

export type Preferences = {
  lang: Lang;
  mode: Mode;
  dark: boolean; // what mode comes to
  zone: string; // IANA name
  setLang: (lang: Lang) => void;
  setMode: (mode: Mode) => void;
  setZone: (zone: string) => void;
};

const Context = createContext<Preferences | null>(null);

export function usePreferences(): Preferences {
  const p = useContext(Context);
  if (!p) throw new Error('usePreferences is used outside of PreferencesProvider');
  return p;
}

/** Where preferences are kept; a browser that keeps nothing gives the defaults. */
function kept(name: string): string | null {
  try {
    return localStorage.getItem(`xiezhi.${name}`);
  } catch {
    return null;
  }
}

function keep(name: string, value: string) {
  try {
    localStorage.setItem(`xiezhi.${name}`, value);
  } catch {
    // kept for this page only
  }
}

export const browserZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';

function valid(zone: string | null): string | null {
  try {
    if (zone) new Intl.DateTimeFormat('en', { timeZone: zone });
    return zone;
  } catch {
    return null;
  }
}

const first = (): Lang => {
  const lang = kept('lang');
  if (lang === 'zh' || lang === 'en') return lang;
  return navigator.languages?.find((l) => /^(zh|en)\b/i.test(l))?.toLowerCase().startsWith('zh') ? 'zh' : 'en';
};

export function PreferencesProvider({ children }: { children: ReactNode }) {
  const [lang, changeLang] = useState<Lang>(first);
  const [mode, changeMode] = useState<Mode>(() => {
    const m = kept('mode');
    return m === 'light' || m === 'dark' ? m : 'system';
  });
  const [zone, changeZone] = useState(() => valid(kept('zone')) ?? browserZone());
  const [night, setNight] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);

  useEffect(() => {
    const media = matchMedia('(prefers-color-scheme: dark)');
    const listen = () => setNight(media.matches);
    media.addEventListener('change', listen);
    return () => media.removeEventListener('change', listen);
  }, []);

  const setLang = useCallback((l: Lang) => (keep('lang', l), changeLang(l)), []);
  const setMode = useCallback((m: Mode) => (keep('mode', m), changeMode(m)), []);
  const setZone = useCallback((z: string) => (keep('zone', z), changeZone(valid(z) ?? 'UTC')), []);
  const dark = mode === 'dark' || (mode === 'system' && night);

  useEffect(() => {
    document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
    document.documentElement.dataset.mode = dark ? 'dark' : 'light';
  }, [lang, dark]);

  const value = useMemo(
    () => ({ lang, mode, dark, zone, setLang, setMode, setZone }),
    [lang, mode, dark, zone, setLang, setMode, setZone],
  );
  return (
    <Context.Provider value={value}>
      <LangContext.Provider value={lang}>{children}</LangContext.Provider>
    </Context.Provider>
  );
}
