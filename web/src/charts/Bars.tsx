import type { ReactNode } from 'react';

/** Bars are shares told by length, drawn without a library: for lists and small panels. */
export function Bars({
  rows,
  most = Math.max(1, ...rows.map((r) => r.value)),
}: {
  rows: readonly { key: string; label: ReactNode; value: number; text: ReactNode; tone?: string; open?: () => void }[];
  most?: number; // what a whole bar stands for, where lists are compared
}) {
  return (
    <ul className="bars">
      {rows.map((r) => (
        <li key={r.key}>
          <span className="bars-label">
            {r.open ? (
              <button type="button" className="as-link" onClick={r.open}>
                {r.label}
              </button>
            ) : (
              r.label
            )}
          </span>
          <span className="bars-track" aria-hidden="true">
            <span className={`bars-bar ${r.tone ?? ''}`} style={{ width: `${(100 * r.value) / most}%` }} />
          </span>
          <span className="bars-text">{r.text}</span>
        </li>
      ))}
    </ul>
  );
}

/** Spark is a small line for a table's cell. */
export function Spark({ values, label, width = 96, height = 22, tone }: { values: readonly number[]; label: string; width?: number; height?: number; tone?: string }) {
  if (values.length < 2) return null;
  const most = Math.max(1, ...values);
  const points = values.map((v, i) => `${((i * (width - 2)) / (values.length - 1) + 1).toFixed(1)},${(height - 2 - (v * (height - 4)) / most).toFixed(1)}`);
  return (
    <svg className={`spark ${tone ?? ''}`} width={width} height={height} role="img" aria-label={label}>
      <polyline points={points.join(' ')} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round" />
    </svg>
  );
}
