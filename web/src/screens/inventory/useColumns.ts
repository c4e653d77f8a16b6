import { useCallback, useState } from 'react';
import { safeParse } from '../../api/parse';

/** Columns in the order in which they stand. */
export const columnIDs = [
  'method', 'template', 'defects', 'attacks', 'auth', 'data', 'exposed', 'exchanges', 'actors', 'site', 'host', 'role', 'exposure', 'lifecycle', 'first_seen', 'last_seen',
] as const;

export type ColumnID = (typeof columnIDs)[number];

export const standardColumns: readonly ColumnID[] = ['method', 'template', 'defects', 'attacks', 'auth', 'data', 'exposed', 'exchanges', 'actors', 'site', 'role', 'lifecycle', 'last_seen'];

const place = 'xiezhi.inventory.columns';

/** chosen reads what was kept; the path is always there. */
export function chosen(kept: string | null): readonly ColumnID[] {
  const list = kept ? safeParse(kept) : undefined;
  if (!Array.isArray(list)) return standardColumns;
  return columnIDs.filter((c) => c === 'template' || list.includes(c));
}

function read(): string | null {
  try {
    return localStorage.getItem(place);
  } catch {
    return null;
  }
}

/** useColumns keeps with this browser which columns its user wants to see. */
export function useColumns() {
  const [shown, setShown] = useState(() => chosen(read()));
  const show = useCallback((list: readonly ColumnID[]) => {
    const text = JSON.stringify(list);
    setShown(chosen(text));
    try {
      localStorage.setItem(place, text);
    } catch {
      // kept for this page only
    }
  }, []);
  return { shown, show };
}
