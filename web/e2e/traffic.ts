import { start, type Running } from './service';

/** One exchange, as HAR lines have it. */
export type Sent = { at: number; path: string; host?: string; method?: string; status?: number; client?: string; bearer?: string; body?: unknown; answer?: unknown };

const host = 'shop.flows.example';

let count = 0;

function line(s: Sent): string {
  const json = JSON.stringify(s.answer ?? { code: 0 });
  const headers = [
    { name: 'Host', value: s.host ?? host },
    { name: 'User-Agent', value: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36' },
    { name: 'Accept', value: 'application/json' },
    ...(s.bearer ? [{ name: 'Authorization', value: `Bearer ${s.bearer}` }] : []),
  ];
  return JSON.stringify({
    _id: `flow-${++count}`,
    _client: { ip: s.client ?? '198.51.100.7', port: 40000 },
    startedDateTime: new Date(s.at).toISOString(),
    time: 12,
    request: {
      method: s.method ?? 'GET', url: `https://${s.host ?? host}${s.path}`, httpVersion: 'HTTP/1.1', headers, cookies: [], queryString: [], headersSize: -1, bodySize: -1,
      ...(s.body ? { postData: { mimeType: 'application/json', text: JSON.stringify(s.body) } } : {}),
    },
    response: {
      status: s.status ?? 200, statusText: '', httpVersion: 'HTTP/1.1', headers: [{ name: 'Content-Type', value: 'application/json' }], cookies: [], redirectURL: '', headersSize: -1, bodySize: json.length,
      content: { size: json.length, mimeType: 'application/json', text: json },
    },
    cache: {},
    timings: { send: 0, wait: 12, receive: 0 },
  });
}

export type Fed = Running & { send: (list: readonly Sent[]) => Promise<void> };

/** feed starts a service that takes traffic from the flow that asks for it. */
export async function feed(): Promise<Fed> {
  const running = await start(['serve', '--listen', '127.0.0.1:0', '--hold', '100ms', '--site', 'shop']);
  try {
    const sign = /listening on (\S*?127\.0\.0\.1:\d+)/;
    await running.until(sign);
    const at = sign.exec(running.said())![1]!.replace(/^https?:\/\//, '');
    const send = async (list: readonly Sent[]) => {
      for (let i = 0; i < list.length; i += 500) {
        const part = list.slice(i, i + 500);
        const r = await fetch(`http://${at}/v1/harl`, { method: 'POST', body: `${part.map(line).join('\n')}\n` });
        const told = (await r.json()) as { accepted?: number };
        if (!r.ok || told.accepted !== part.length) throw new Error(`deliver traffic: ${r.status} ${JSON.stringify(told)}`);
      }
    };
    return { ...running, send };
  } catch (e) {
    await running.stop();
    throw e;
  }
}
