import { link, Trouble, trouble } from '../../api/client';

export type Format = 'xlsx' | 'html' | 'sarif' | 'json';

export type Asked = Record<string, string | undefined>;

/** The name that a Content-Disposition gives a file. */
export const named = (head: string | null): string | undefined => /filename="([^"\\/]+)"/.exec(head ?? '')?.[1];

/** save fetches a report and hands it to the browser as a file; it gives its name. */
export async function save(format: Format, asked: Asked): Promise<string> {
  const params = new URLSearchParams(Object.entries<string | undefined>({ ...asked, format }).filter((e): e is [string, string] => Boolean(e[1])));
  let response: Response;
  try {
    response = await fetch(`/api/v1/report?${params}`, { credentials: 'same-origin', headers: { 'Accept-Language': link.lang } });
  } catch {
    throw new Trouble(0);
  }
  if (response.status === 401) link.expired();
  if (!response.ok) throw await trouble(response);
  const name = named(response.headers.get('Content-Disposition')) ?? `xiezhi.${format}`;
  const at = URL.createObjectURL(await response.blob());
  const a = document.createElement('a');
  a.href = at;
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(at), 60_000);
  return name;
}
