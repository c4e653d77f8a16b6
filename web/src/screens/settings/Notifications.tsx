import { Alert, App, Button, Skeleton, Table, Tag, Tooltip } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, client, type Schemas } from '../../api/client';
import { Inert } from '../../parts/Inert';
import { Teach } from '../../parts/Teach';
import { describe, TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { Amount, When } from '../../parts/When';
import { inert } from '../../text/inert';
import { useLang, useText } from '../../text/text';
import { DeadLetters } from './DeadLetters';
import { text } from './notificationText';

type Receiver = Schemas['Receiver'];

const example = `notifications:
  public_url: ${location.origin}
  channels:
    - {name: ops, type: dingtalk, lang: zh, url_file: ding.url, secret_file: ding.secret}
siem:
  targets:
    - {name: soc, format: cef, transport: tls, address: "siem.example.com:6514"}`;

const colours = { ok: 'part-ok', waiting: 'part-warming', failing: 'part-failing', quiet: 'part-off' } as const;

/** Notifications says who is told of findings, whether that works, and what was not taken. */
export function Notifications() {
  const t = useText(text);
  const lang = useLang();
  const f = useFormat();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [testing, setTesting] = useState('');
  const [trouble, setTrouble] = useState('');
  const q = api.useQuery('get', '/api/v1/notifications', {}, { refetchInterval: 5000 });
  if (!q.data) return q.error ? <TroubleView error={q.error} retry={() => void q.refetch()} /> : <Skeleton active />;
  const { receivers, dead, dead_total: total, public_url: link } = q.data;

  const act = async (what: () => Promise<unknown>) => {
    setTrouble('');
    try {
      await what();
    } catch (e) {
      const d = describe(e, lang);
      setTrouble(`${d.title} ${d.detail}`);
    }
    void queries.invalidateQueries({ queryKey: ['get', '/api/v1/notifications'] });
  };
  const test = async (r: Receiver) => {
    setTesting(r.name);
    await act(async () => {
      const { data } = await client.POST('/api/v1/notifications/receivers/{name}/test', { params: { path: { name: r.name } } });
      if (data!.taken) message.success(t('testOk', { name: r.name }));
      else setTrouble(t('testFailed', { name: r.name, why: inert(data!.why ?? '') }));
    });
    setTesting('');
  };
  const kind = (r: Receiver) => (r.family === 'siem' ? `SIEM · ${r.type.toUpperCase()}` : r.type in text ? t(r.type as keyof typeof text) : r.type);

  if (receivers.length === 0)
    return (
      <Teach title={t('none')}>
        {t('noneDo')}
        <pre className="rule-code" style={{ textAlign: 'left' }}>
          {example}
        </pre>
      </Teach>
    );
  return (
    <>
      <p className="allow-intro">{t('intro')}</p>
      {!link && <Alert type="info" showIcon title={t('noLinks')} style={{ marginBottom: 12 }} />}
      {trouble && <Alert type="error" title={trouble} role="alert" style={{ marginBottom: 12 }} />}
      <div className="scroll" tabIndex={0} role="region" aria-label={t('receivers')}>
        <Table<Receiver>
          size="small"
          aria-label={t('receivers')}
          rowKey="name"
          dataSource={receivers}
          pagination={false}
          columns={[
            { key: 'name', title: t('name'), render: (_, r) => <strong>{r.name}</strong> },
            { key: 'type', title: t('type'), render: (_, r) => kind(r) },
            { key: 'host', title: t('where'), render: (_, r) => <Inert text={r.host} /> },
            {
              key: 'state',
              title: t('state'),
              render: (_, r) => (
                <>
                  <Tag className={`part ${colours[r.state]}`}>{t(r.state)}</Tag>
                  {r.why && (
                    <div className="soft">
                      <Inert text={r.why} />
                      {r.waiting > 0 && r.next && <div>{t('next', { at: f.time(r.next) })}</div>}
                    </div>
                  )}
                </>
              ),
            },
            { key: 'sent', title: <Tooltip title={t('sentHelp')}>{t('sent')}</Tooltip>, align: 'right', render: (_, r) => <Amount n={r.sent} /> },
            { key: 'failed', title: <Tooltip title={t('sentHelp')}>{t('failed')}</Tooltip>, align: 'right', render: (_, r) => <Amount n={r.failed} /> },
            { key: 'waiting', title: t('waitingCount'), align: 'right', render: (_, r) => <Amount n={r.waiting} /> },
            { key: 'dead', title: t('dead'), align: 'right', render: (_, r) => <Amount n={r.dead} /> },
            { key: 'last', title: t('last'), render: (_, r) => (r.last_sent ? <When at={r.last_sent} relative /> : <span className="soft">{t('never')}</span>) },
            {
              key: 'actions',
              title: t('actions'),
              render: (_, r) => (
                <Button size="small" loading={testing === r.name} onClick={() => void test(r)}>
                  {t('test')}
                </Button>
              ),
            },
          ]}
        />
      </div>
      <DeadLetters
        list={dead}
        total={total}
        resend={(id) =>
          act(async () => {
            await client.POST('/api/v1/notifications/dead/{id}/resend', { params: { path: { id } } });
            message.success(t('resent'));
          })
        }
        forget={(id) =>
          act(async () => {
            await client.DELETE('/api/v1/notifications/dead/{id}', { params: { path: { id } } });
            message.success(t('forgotten'));
          })
        }
      />
    </>
  );
}
