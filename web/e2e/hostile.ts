/**
 * Names that an attacker chooses: markup that would run, marks that reorder or
 * hide text, what spreadsheets and terminals take for commands.
 */
export const corpus: readonly string[] = [
  '<script>window.__ran=1</script>',
  '"><img src=x onerror=window.__ran=1>',
  "'><svg onload=window.__ran=1>",
  '</title></textarea></style><script>window.__ran=1</script>',
  '<iframe srcdoc="<script>parent.__ran=1</script>"></iframe>',
  '<a href="javascript:window.__ran=1">x</a>',
  'javascript:window.__ran=1',
  '{{constructor.constructor("window.__ran=1")()}}',
  '${window.__ran=1}',
  '\u202Egnp.exe\u202C',
  '\u2066admin\u2069',
  'pay\u200Bpal\u200D',
  '\uFEFFbom\u00AD',
  "=cmd|'/c calc'!A1",
  '+SUM(1,2)',
  '-2+3',
  '@import',
  '%s%n%x',
  '\u001B[2Jclear',
  '../../../etc/passwd',
  '👩‍👩‍👧 𝒳',
  'ａｄｍｉｎ'.repeat(20),
];

const phone = (i: number) => `138${String(10_000_000 + i).padStart(8, '0')}`;

/** exchanges gives HAR lines that carry the corpus wherever the console shows something of traffic. */
export function exchanges(now: number): string {
  const lines: string[] = [];
  let id = 0;
  const add = (client: string, method: string, url: string, more: { headers?: [string, string][]; body?: object; answer: object; status?: number; site?: string }) => {
    id++;
    const body = more.body && JSON.stringify(more.body);
    const text = JSON.stringify(more.answer);
    lines.push(
      JSON.stringify({
        _id: `h${id}`,
        ...(more.site ? { _site: more.site } : {}),
        _client: { ip: client },
        startedDateTime: new Date(now - 600_000 + id * 100).toISOString(),
        time: 5,
        request: {
          method, url,
          headers: [['Content-Type', 'application/json'], ['User-Agent', corpus[id % corpus.length]!.replace(/[^\x20-\x7e]/g, '?')], ...(more.headers ?? [])].map(([name, value]) => ({ name, value })),
          ...(body ? { postData: { mimeType: 'application/json', text: body } } : {}),
        },
        response: { status: more.status ?? 200, headers: [{ name: 'Content-Type', value: 'application/json' }], content: { size: text.length, mimeType: 'application/json', text } },
      }),
    );
  };
  const client = (i: number) => `198.51.100.${1 + (i % 40)}`;
  corpus.forEach((word, w) => {
    const part = encodeURIComponent(word);
    const site = `site ${word}`.slice(0, 60);
    for (let i = 0; i < 30; i++) {
      // Names of paths, parameters, keys: an API whose answers hold phone numbers under a hostile key, for anybody.
      add(client(i), 'GET', `http://shop.example/n${w}/${part}/list?${part}=${i}&page=${i % 4}`, {
        headers: [[`X-H${w}`, word.replace(/[^\x20-\x7e]/g, '?')]],
        answer: { code: 0, [word]: Array.from({ length: 5 }, (_, k) => ({ id: i * 5 + k, phone: phone(w * 1000 + i * 5 + k), [word]: word })) },
      });
      if (i < 5) add(client(i), 'POST', `http://shop.example/w${w}/save`, { body: { [word]: word, name: `n${i}` }, answer: { ok: true, [word]: word, message: word }, site });
    }
  });
  for (let i = 0; i < 400; i++) {
    // One address goes through everybody: an attack with hostile names around it.
    add('203.0.113.66', 'GET', `http://shop.example/people/${10_000 + i}?${encodeURIComponent(corpus[0]!)}=1`, {
      answer: { id: 10_000 + i, [corpus[1]!]: phone(i), phone: phone(i), email: `person${i}@mail.example` },
    });
  }
  return lines.join('\n') + '\n';
}

/** What must be named rather than done to a text. */
export const hiddenMarks = /[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;
