/** figure reads a value of evidence, which is a number or none. */
export function figure(s: string): number | undefined {
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(s)) return undefined;
  return Number(s);
}
