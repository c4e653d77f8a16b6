/**
 * CSV that Excel opens as text: with a byte order mark, CRLF, and no cell that a
 * spreadsheet would take for a formula.
 */
export function csv(rows: readonly (readonly (string | number | undefined)[])[]): string {
  return '\ufeff' + rows.map((r) => r.map(cell).join(',')).join('\r\n') + '\r\n';
}

/** cell quotes a value; what begins like a formula gets an apostrophe before it. */
export function cell(value: string | number | undefined): string {
  if (value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const inert = /^[\s\u0000-\u001f]*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(value) || /^[\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

/** save offers a text as a file. */
export function save(name: string, text: string, type: string) {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const a = document.createElement('a');
  a.href = url;
  a.download = name.replace(/[^\p{L}\p{N}._-]+/gu, '-');
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
