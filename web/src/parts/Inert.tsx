import { memo } from 'react';
import { pieces } from '../text/inert';

/** Inert shows a text that traffic chose: hidden and reordering marks by name. */
export const Inert = memo(function Inert({ text, code }: { text: string; code?: boolean }) {
  const parts = pieces(text);
  const body =
    parts.length === 1 && !parts[0]!.hidden
      ? text
      : parts.map((p, i) =>
          p.hidden ? (
            <span key={i} className="hidden-mark">
              {p.text}
            </span>
          ) : (
            <span key={i}>{p.text}</span>
          ),
        );
  // Isolated, so that right-to-left letters move nothing beside them.
  return code ? <code className="inert">{body}</code> : <bdi className="inert">{body}</bdi>;
});
