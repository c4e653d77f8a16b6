import { createContext, useContext, useMemo } from 'react';
import { names } from './names.gen';

/** The two languages. Everything a person reads has both. */
export type Lang = 'zh' | 'en';

/** A text in both languages, as the API gives them. */
export type Said = { readonly zh: string; readonly en: string };

export type Dictionary = Readonly<Record<string, Said>>;

export type Args = Readonly<Record<string, string | number>>;

export const LangContext = createContext<Lang>('en');

export const useLang = (): Lang => useContext(LangContext);

/** fill puts values where {name} stands, and the word that goes with a number where {name|one|many} does. */
export function fill(template: string, args?: Args): string {
  if (!args) return template;
  return template.replace(/\{(\w+)(?:\|([^{}|]*)\|([^{}|]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    if (!(name in args)) return whole;
    const value = String(args[name]);
    return one === undefined ? value : value === '1' ? one : many!;
  });
}

/** useText gives the texts of a dictionary in the language of the reader. */
export function useText<D extends Dictionary>(dictionary: D): (id: keyof D & string, args?: Args) => string {
  const lang = useLang();
  return useMemo(() => (id, args) => fill(dictionary[id]![lang], args), [dictionary, lang]);
}

/** nameOf gives the name of an id of the taxonomy; an unknown id is shown as it is. */
export function nameOf(kind: string, id: string, lang: Lang): string {
  const pair = names[`${kind}.${id}`];
  return pair ? pair[lang === 'zh' ? 0 : 1] : id;
}

export function useName(): (kind: string, id: string) => string {
  const lang = useLang();
  return useMemo(() => (kind, id) => nameOf(kind, id, lang), [lang]);
}
