import { Alert, App, Button, Form, Input, InputNumber, Modal, Popconfirm, Select, Space, Table, Tag } from 'antd';
import { PlusOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, client, now, type Schemas } from '../../api/client';
import { useSession, type Role } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { Teach } from '../../parts/Teach';
import { describe, TroubleView } from '../../parts/TroubleView';
import { useDraft } from '../../parts/useDraft';
import { When } from '../../parts/When';
import { inert } from '../../text/inert';
import { useLang, useText } from '../../text/text';
import { text } from './text';
import { useSend } from './useSend';
import { useUserNames } from './useUserNames';
import { roles } from './Users';

type Token = Schemas['Token'];

/** Tokens let programs in: one's own, for administrators those of everybody. */
export function Tokens() {
  const t = useText(text);
  const lang = useLang();
  const { me, may } = useSession();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [adding, setAdding] = useState(false);
  const [trouble, setTrouble] = useState('');
  const q = api.useQuery('get', '/api/v1/tokens');
  const names = useUserNames();
  const again = () => void queries.invalidateQueries({ queryKey: ['get', '/api/v1/tokens'] });
  if (q.error && !q.data) return <TroubleView error={q.error} retry={() => void q.refetch()} />;
  const revoke = async (id: string) => {
    setTrouble('');
    try {
      await client.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } });
      message.success(t('revoked'));
    } catch (e) {
      const d = describe(e, lang);
      setTrouble(`${d.title} ${d.detail}`);
    }
    again();
  };
  return (
    <>
      <p className="allow-intro">
        {t('tokensIntro')} {may('administrator') && t('tokensAll')}
      </p>
      {trouble && <Alert type="error" title={trouble} role="alert" style={{ marginBottom: 12 }} />}
      <Space style={{ marginBottom: 12 }}>
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>
          {t('addToken')}
        </Button>
      </Space>
      <div className="scroll" tabIndex={0} role="region" aria-label={t('tabTokens')}>
        <Table<Token>
          size="small"
          aria-label={t('tabTokens')}
          rowKey="id"
          loading={q.isPending}
          dataSource={q.data?.items}
          pagination={{ hideOnSinglePage: true, pageSize: 50 }}
          locale={{ emptyText: q.isPending ? ' ' : <Teach title={t('noTokens')}>{t('noTokensDo')}</Teach> }}
          columns={[
            { key: 'name', title: t('tokenName'), render: (_, k) => <Inert text={k.name} /> },
            { key: 'role', title: t('roleLabel'), render: (_, k) => t(k.role) },
            { key: 'owner', title: t('owner'), render: (_, k) => (k.by === me.id ? `${me.name} (${t('you')})` : <Inert text={names[k.by] ?? k.by} />) },
            { key: 'made', title: t('made'), render: (_, k) => <When at={k.created} /> },
            {
              key: 'expires',
              title: t('expires'),
              render: (_, k) => (
                <>
                  <When at={k.expires} /> {Date.parse(k.expires) <= now() && <Tag className="part part-off">{t('over')}</Tag>}
                </>
              ),
            },
            {
              key: 'actions',
              title: t('actions'),
              render: (_, k) => (
                <Popconfirm title={t('revokeSure', { name: inert(k.name) })} okText={t('revoke')} cancelText={t('cancel')} onConfirm={() => revoke(k.id)}>
                  <Button size="small" danger>
                    {t('revoke')}
                  </Button>
                </Popconfirm>
              ),
            },
          ]}
        />
      </div>
      {adding && <AddToken close={() => setAdding(false)} made={again} />}
    </>
  );
}

type Draft = { name?: string; role?: Role; days?: number };

function AddToken({ close, made }: { close: () => void; made: () => void }) {
  const t = useText(text);
  const { may } = useSession();
  const { message } = App.useApp();
  const [form] = Form.useForm<Draft>();
  const [draft, keep, forget] = useDraft<Draft>('token', { role: 'viewer', days: 90 });
  const { send, sending, trouble } = useSend(form, ['name', 'role', 'days']);
  const [secret, setSecret] = useState('');
  const use = `curl -H "Authorization: Bearer ${secret}" ${location.origin}/api/v1/agenda`;
  const copy = async (what: string) => {
    try {
      await navigator.clipboard.writeText(what);
      message.success(t('copied'));
    } catch {
      message.info(t('copyRefused'));
    }
  };
  return (
    <Modal open title={t('addToken')} footer={null} onCancel={close} mask={{ closable: false }} closable={{ 'aria-label': t('close') }} afterOpenChange={(shown) => shown && form.focusField('name')}>
      {secret ? (
        <div className="once">
          <Alert type="warning" showIcon title={t('tokenOnce')} />
          <code className="secret" data-secret>
            {secret}
          </code>
          <Space>
            <Button type="primary" onClick={() => void copy(secret)}>
              {t('copy')}
            </Button>
            <Button onClick={close}>{t('close')}</Button>
          </Space>
          <h3>{t('tokenHow')}</h3>
          <pre className="rule-code">{use.replace(secret, '$TOKEN')}</pre>
        </div>
      ) : (
        <>
          {trouble.whole && <Alert type="error" title={trouble.whole} role="alert" style={{ marginBottom: 12 }} />}
          <Form<Draft>
            form={form}
            layout="vertical"
            initialValues={draft}
            onValuesChange={(_, all) => keep(all)}
            onFinish={(v) =>
              void send(async () => {
                const { data } = await client.POST('/api/v1/tokens', { body: { name: v.name!.trim(), role: v.role!, days: v.days! } });
                forget();
                setSecret(data!.token);
                made();
              })
            }
          >
            <Form.Item name="name" label={t('tokenName')} extra={t('tokenNameHelp')} rules={[{ required: true, whitespace: true, message: t('tokenNameMissing') }]}>
              <Input maxLength={100} autoComplete="off" />
            </Form.Item>
            <Form.Item name="role" label={t('roleLabel')}>
              <Select options={roles.filter((r) => may(r)).map((r) => ({ value: r, label: t(r) }))} />
            </Form.Item>
            <Form.Item name="days" label={t('tokenDays')} rules={[{ required: true, message: '1–366' }]}>
              <InputNumber min={1} max={366} precision={0} />
            </Form.Item>
            <Button type="primary" htmlType="submit" loading={sending}>
              {t('create')}
            </Button>
          </Form>
        </>
      )}
    </Modal>
  );
}
