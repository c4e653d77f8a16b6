import { Tag } from 'antd';
import { useText } from '../../text/text';
import type { Part } from './figures';
import { text } from './text';

const marks: Record<Part['state'], string> = { ok: '●', warming: '◔', degraded: '▲', failing: '✕', off: '○' };

/** PartState says how a part is, by a sign and a word. */
export function PartState({ state }: { state: Part['state'] }) {
  const t = useText(text);
  return (
    <Tag className={`part part-${state}`}>
      <span aria-hidden="true">{marks[state]}</span> {t(state)}
    </Tag>
  );
}
