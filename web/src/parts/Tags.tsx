import { Tag } from 'antd';
import { useName, useText } from '../text/text';

/** Words of state, always with a shape or a word beside the colour. */

export type Level = 'critical' | 'high' | 'elevated' | 'moderate';

const marks: Record<Level, string> = { critical: '◆', high: '▲', elevated: '●', moderate: '○' };

export const levels: readonly Level[] = ['critical', 'high', 'elevated', 'moderate'];

export function Severity({ level }: { level: string }) {
  const name = useName();
  return (
    <span className={`level level-${level}`}>
      <span aria-hidden="true">{marks[level as Level] ?? '○'}</span> {name('severity', level)}
    </span>
  );
}

export function Verdict({ verdict }: { verdict: string }) {
  const name = useName();
  return <Tag className={`verdict verdict-${verdict}`}>{name('verdict', verdict)}</Tag>;
}

export function DefectStatus({ status }: { status: string }) {
  const name = useName();
  return <Tag className={`status status-${status}`}>{name('defect_status', status)}</Tag>;
}

export function Method({ method }: { method: string }) {
  return <span className={`method method-${method.toLowerCase()}`}>{method}</span>;
}

const auths = {
  none: { zh: '无鉴权', en: 'no credential' },
  optional: { zh: '鉴权可选', en: 'optional credential' },
  required: { zh: '需鉴权', en: 'credential required' },
  unknown: { zh: '鉴权未知', en: 'credential unknown' },
};

export function Auth({ auth }: { auth: string }) {
  const t = useText(auths);
  return <Tag className={`auth auth-${auth}`}>{auth in auths ? t(auth as keyof typeof auths) : auth}</Tag>;
}
