import createFetchClient, { type Middleware } from 'openapi-fetch';
import createQueryClient from 'openapi-react-query';
import type { components, paths } from './schema.gen';
import type { Lang } from '../text/text';

export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

/**
 * What the client knows beside the address: the proof that a change comes from
 * this page, the language of answers, how far the clock here is off, and whom
 * to tell when the session is over.
 */
export const link = {
  csrf: '',
  lang: 'en' as Lang,
  skew: 0, // ms that the server's clock is ahead of the one here
  expired: () => {},
};

/** now is the server's time: the clock of the one who looks may be an hour off. */
export const now = () => Date.now() + link.skew;

/** Trouble is what went wrong with a request, in words for the reader. */
export class Trouble extends Error {
  constructor(
    readonly status: number, // 0: no answer came
    readonly problem?: Problem,
    readonly wait?: number, // seconds
  ) {
    super(problem?.title ?? `status ${status}`);
    this.name = 'Trouble';
  }
}

export const safe = (method: string) => method === 'GET' || method === 'HEAD';

const heads: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', link.lang);
    if (!safe(request.method) && link.csrf) request.headers.set('X-CSRF-Token', link.csrf);
    return request;
  },
  async onResponse({ response, schemaPath }) {
    const date = Date.parse(response.headers.get('Date') ?? '');
    if (!Number.isNaN(date)) {
      const skew = date - Date.now();
      if (Math.abs(skew - link.skew) > 2000) link.skew = Math.abs(skew) < 2000 ? 0 : skew;
    }
    if (response.ok) {
      // Every answer but 204 has a body; one without comes from somebody in between.
      if (response.status !== 204 && response.headers.get('Content-Length') === '0') throw new SyntaxError('an empty answer');
      return undefined;
    }
    if (response.status === 401 && schemaPath !== '/api/v1/session') link.expired();
    throw await trouble(response);
  },
  onError({ error }) {
    return error instanceof Trouble || (error as Error).name === 'AbortError' ? (error as Error) : new Trouble(0);
  },
};

/** trouble reads what a refusing answer says. */
export async function trouble(response: Response): Promise<Trouble> {
  const wait = Number(response.headers.get('Retry-After')) || undefined;
  try {
    const problem = (await response.json()) as Problem;
    return new Trouble(response.status, typeof problem?.title === 'string' ? problem : undefined, wait);
  } catch {
    return new Trouble(response.status, undefined, wait);
  }
}

export const client = createFetchClient<paths>({
  baseUrl: location.origin,
  credentials: 'same-origin',
  // Looked up for each request, so that tests can put another in its place.
  fetch: (request) => fetch(request),
  querySerializer: { array: { style: 'form', explode: true } },
});
client.use(heads);

/** api has useQuery, useInfiniteQuery and useMutation for each operation. */
export const api = createQueryClient(client);
