/** A complaint of the compiler of rules and where it points to. */
export type Complaint = { line?: number; column?: number; text: string };

/**
 * complaints reads what a test of rules says: "rules:3:12: text" or, of the
 * reader of YAML, "rules: [3:12] text" with lines that show the place. Lines
 * that name no place go with the one before.
 */
export function complaints(errors: readonly string[]): Complaint[] {
  const out: Complaint[] = [];
  for (const e of errors) {
    const m = /^rules: ?(?:\[(\d+):(\d+)\]|(\d+):(?:(\d+):)?)\s*(.*)$/.exec(e);
    if (m) {
      out.push({ line: Number(m[1] ?? m[3]), column: Number(m[2] ?? m[4]) || undefined, text: m[5] || e });
    } else if (out.length > 0) out[out.length - 1]!.text += `\n${e}`;
    else out.push({ text: e });
  }
  return out;
}

/** offset gives where a line and column, both from 1, are in a text. */
export function offset(text: string, line: number, column = 1): number {
  let at = 0;
  for (let i = 1; i < line; i++) {
    const next = text.indexOf('\n', at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  return Math.min(at + column - 1, text.length);
}
