import { useEffect, type ReactNode } from 'react';

/** PageHead names a page, also for the window and its history. */
export function PageHead({ title, children, extra }: { title: string; children?: ReactNode; extra?: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Xiezhi 獬豸`;
  }, [title]);
  return (
    <header className="page-head">
      <h1>{title}</h1>
      {children && <p>{children}</p>}
      <span className="grow" />
      {extra}
    </header>
  );
}
