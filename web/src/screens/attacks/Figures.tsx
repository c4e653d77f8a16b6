import type { ReactNode } from 'react';

export type Figure = { key: string; label: ReactNode; value: ReactNode; more?: ReactNode; bad?: boolean };

/** Figures are numbers with their names, side by side. */
export function Figures({ list }: { list: readonly Figure[] }) {
  return (
    <dl className="atk-figures">
      {list.map((x) => (
        <div key={x.key} className={x.bad ? 'atk-bad' : undefined}>
          <dt>{x.label}</dt>
          <dd>
            {x.value}
            {x.more && <small>{x.more}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Result shows of requests which part succeeded, was blocked, was answered otherwise. */
export function Result({ requests, succeeded, blocked, label }: { requests: number; succeeded: number; blocked: number; label: string }) {
  const part = (n: number) => `${requests ? (100 * n) / requests : 0}%`;
  return (
    <span className="atk-result-bar" role="img" aria-label={label} title={label}>
      <span className="atk-result-ok" style={{ width: part(succeeded) }} />
      <span className="atk-result-blocked" style={{ width: part(blocked) }} />
    </span>
  );
}
