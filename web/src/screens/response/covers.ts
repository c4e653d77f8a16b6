/** Which APIs a target names, by the rule of the judges (internal/policy, Target.Covers). */

export type Target = { site?: string; host?: string; method?: string; template?: string };
export type Named = { site: string; host: string; method: string; template: string };

export function covers(t: Target, api: Named): boolean {
  if (t.site && t.site !== api.site) return false;
  if (t.method && t.method.toUpperCase() !== api.method.toUpperCase()) return false;
  if (t.host) {
    const host = t.host.toLowerCase();
    if (host.startsWith('*.') ? !api.host.endsWith(host.slice(1)) : host !== api.host) return false;
  }
  if (!t.template) return true;
  if (t.template.endsWith('/**')) {
    const under = t.template.slice(0, -3);
    return api.template === under || api.template.startsWith(`${under}/`);
  }
  const [a, b] = [t.template.split('/'), api.template.split('/')];
  return a.length === b.length && a.every((x, i) => x === b[i] || (parameter(x) && parameter(b[i]!)));
}

const parameter = (s: string) => s.startsWith('{') && s.endsWith('}');

/** prefix is what every path that a template names begins with: what to search for. */
export const prefix = (template: string) => template.replace(/(\/\*\*|\{.*)$/, '');
