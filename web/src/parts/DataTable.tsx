import { Table, type TableProps } from 'antd';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { useKeys } from '../shell/keys';
import { useText } from '../text/text';
import { useFormat } from './useFormat';
import { TroubleView } from './TroubleView';

const text = {
  shown: { zh: '已载入 {n} 条，共 {total} 条', en: '{n} of {total} loaded' },
  some: { zh: '已载入 {n} 条，继续滚动载入更多', en: '{n} loaded, more as you scroll' },
  all: { zh: '共 {n} 条', en: '{n} in all' },
  keys: { zh: 'j / k 移动，Enter 打开', en: 'j / k to move, Enter to open' },
};

export type Paged<T> = {
  rows: readonly T[];
  total?: number;
  more: boolean; // there are further pages
  next: () => void;
  loading: boolean;
  error: unknown;
  retry: () => void;
};

/**
 * DataTable is the one table of lists: rows are drawn only where they are seen,
 * pages are fetched as one scrolls, j and k move, Enter opens.
 */
export function DataTable<T extends object>({
  paged,
  columns,
  rowKey,
  open,
  empty,
  extra,
  picked,
  pick,
  sort,
  label,
  height,
  actions,
}: {
  paged: Paged<T>;
  columns: TableProps<T>['columns'];
  rowKey: (row: T) => string;
  open?: (row: T) => void;
  empty: ReactNode;
  extra?: ReactNode; // at the right of the line under the table
  picked?: readonly string[];
  pick?: (keys: string[], rows: T[]) => void;
  sort?: (column: string | undefined, order: 'asc' | 'desc' | undefined) => void;
  label: string; // says what the table holds, for those who do not see it
  height?: number;
  actions?: Readonly<Record<string, (row: T) => void>>; // keys that do something with the row one is at
}) {
  const t = useText(text);
  const f = useFormat();
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState(height ?? 400);
  const { rows, total, more, next, loading } = paged;
  // Where one is stays with the row, whatever order events bring.
  const [atKey, setAtKey] = useState<string>();
  const at = useMemo(() => (atKey === undefined ? -1 : rows.findIndex((r) => rowKey(r) === atKey)), [rows, rowKey, atKey]);

  useLayoutEffect(() => {
    if (height) return;
    // Where the table begins on the page, however far that is scrolled: what the
    // table itself makes higher must not change its height again.
    const measure = () => {
      const top = (frame.current?.getBoundingClientRect().top ?? 0) + window.scrollY;
      const next = Math.round(Math.max(240, window.innerHeight - Math.max(top, 80) - 110));
      setSize((before) => (Math.abs(before - next) < 4 ? before : next));
    };
    measure();
    window.addEventListener('resize', measure);
    const watch = new ResizeObserver(measure);
    if (document.body) watch.observe(document.body);
    return () => {
      window.removeEventListener('resize', measure);
      watch.disconnect();
    };
  }, [height]);

  const asked = useRef(0);
  const scrolled = useCallback(() => {
    const body = frame.current?.querySelector('.ant-table-tbody-virtual-holder, .ant-table-body');
    if (!body || !more || loading || asked.current === rows.length) return;
    if (body.scrollTop + body.clientHeight > body.scrollHeight - 800) {
      asked.current = rows.length;
      next();
    }
  }, [more, loading, next, rows.length]);
  useEffect(() => {
    if (rows.length === 0) asked.current = 0;
    scrolled(); // a page that does not fill the frame asks for the one after
  }, [rows.length, scrolled]);

  const go = useCallback(
    (i: number) => {
      const row = rows[i];
      if (row) setAtKey(rowKey(row));
    },
    [rows, rowKey],
  );
  const keys = useMemo(
    () => ({
      j: () => go(Math.min(at + 1, rows.length - 1)),
      k: () => go(Math.max(at - 1, 0)),
      Enter: () => {
        const row = rows[at];
        if (row) open?.(row);
      },
      ...Object.fromEntries(Object.entries(actions ?? {}).map(([key, act]) => [key, () => rows[at] && act(rows[at])])),
    }),
    [rows, at, go, open, actions],
  );
  useKeys(keys);
  useEffect(() => {
    frame.current?.querySelector('.row-at')?.scrollIntoView({ block: 'nearest' });
    if (at >= rows.length - 5) scrolled();
  }, [at, rows.length, scrolled]);

  const wide = useMemo(() => (columns ?? []).reduce((n, c) => n + (typeof c.width === 'number' ? c.width : 150), pick ? 40 : 0), [columns, pick]);

  if (paged.error && rows.length === 0) return <TroubleView error={paged.error} retry={paged.retry} />;
  const line =
    rows.length === 0 ? '' : total !== undefined && total > rows.length ? t('shown', { n: f.exact(rows.length), total: f.exact(total) })
    : more ? t('some', { n: f.exact(rows.length) })
    : t('all', { n: f.exact(rows.length) });
  const some = rows.length > 0;
  return (
    <div ref={frame} className="data-table">
      <Table<T>
        virtual={some}
        aria-label={label}
        size="small"
        columns={some ? columns : []} // an empty table has nothing to scroll
        showHeader={some}
        dataSource={rows as T[]}
        rowKey={rowKey}
        loading={loading && rows.length === 0}
        pagination={false}
        scroll={some ? { x: wide, y: size } : undefined}
        onScroll={scrolled}
        showSorterTooltip={{ target: 'sorter-icon' }}
        onChange={(_p, _f, s) => {
          const one = Array.isArray(s) ? s[0] : s;
          sort?.(one?.order ? String(one.columnKey ?? one.field) : undefined, one?.order === 'ascend' ? 'asc' : one?.order ? 'desc' : undefined);
        }}
        locale={{ emptyText: loading ? ' ' : empty }}
        rowClassName={(_row, i) => (i === at ? 'row row-at' : 'row')}
        onRow={(row, i) => ({
          onClick: () => {
            go(i ?? -1);
            open?.(row);
          },
        })}
        rowSelection={
          pick && {
            selectedRowKeys: picked as string[],
            onChange: (k, r) => pick(k as string[], r),
            columnWidth: 40,
            preserveSelectedRowKeys: true,
          }
        }
      />
      <div className="table-foot">
        <span aria-live="polite">{line}</span>
        <span className="soft keys">{open && rows.length > 0 ? t('keys') : ''}</span>
        <span className="grow" />
        {extra}
      </div>
      {paged.error ? <TroubleView small error={paged.error} retry={paged.retry} /> : null}
    </div>
  );
}
