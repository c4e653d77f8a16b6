/**
 * What an attacker chose to be called must not change what a reader sees: marks
 * that reorder or hide text are shown by name.
 */

const hidden =
  // eslint-disable-next-line no-control-regex, no-misleading-character-class
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]|[\ud800-\udfff]/gu;

export type Piece = { text: string; hidden: boolean };

/** pieces cuts a text into what is shown as it is and what is shown by name. */
export function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  let from = 0;
  for (const m of text.matchAll(hidden)) {
    if (m.index > from) out.push({ text: text.slice(from, m.index), hidden: false });
    out.push({ text: `U+${m[0].codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`, hidden: true });
    from = m.index + m[0].length;
  }
  if (from < text.length) out.push({ text: text.slice(from), hidden: false });
  return out;
}

/** inert is the same as one string, for titles and charts. */
export const inert = (text: string): string =>
  pieces(text)
    .map((p) => (p.hidden ? `⟨${p.text}⟩` : p.text))
    .join('');
