import { Empty } from 'antd';
import type { ReactNode } from 'react';

/** Teach stands where there is nothing: it says why, and what would bring something. */
export function Teach({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={<strong>{title}</strong>} className="teach">
      {children}
    </Empty>
  );
}
