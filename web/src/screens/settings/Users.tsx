import { Alert, App, Button, Form, Input, Modal, Popconfirm, Select, Space, Table, Tag } from 'antd';
import { PlusOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api, client, type Schemas } from '../../api/client';
import { useSession, type Role } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { describe, TroubleView } from '../../parts/TroubleView';
import { useDraft } from '../../parts/useDraft';
import { When } from '../../parts/When';
import { inert } from '../../text/inert';
import { useLang, useText } from '../../text/text';
import { NewPassword } from './NewPassword';
import { text } from './text';
import { useSend } from './useSend';

type User = Schemas['User'];

export const roles: readonly Role[] = ['viewer', 'analyst', 'responder', 'administrator'];

/** Users are people: who they are, what they may, whether they may sign in. */
export function Users() {
  const t = useText(text);
  const lang = useLang();
  const { me } = useSession();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [adding, setAdding] = useState(false);
  const [resetting, setResetting] = useState<User>();
  const [trouble, setTrouble] = useState('');
  const q = api.useQuery('get', '/api/v1/users');
  const again = () => void queries.invalidateQueries({ queryKey: ['get', '/api/v1/users'] });
  if (q.error && !q.data) return <TroubleView error={q.error} retry={() => void q.refetch()} />;

  const act = async (what: () => Promise<unknown>) => {
    setTrouble('');
    try {
      await what();
      message.success(t('saved'));
    } catch (e) {
      const d = describe(e, lang);
      setTrouble(`${d.title} ${d.detail}`);
    }
    again();
  };
  const change = (u: User, body: Omit<Schemas['UserChange'], 'rev'>) => act(() => client.PATCH('/api/v1/users/{id}', { params: { path: { id: u.id } }, body: { ...body, rev: u.rev } }));
  return (
    <>
      <p className="allow-intro">{t('usersIntro')}</p>
      {trouble && <Alert type="error" title={trouble} role="alert" showIcon closable style={{ marginBottom: 12 }} />}
      <Space style={{ marginBottom: 12 }}>
        <Button type="primary" icon={<PlusOutlined />} onClick={() => setAdding(true)}>
          {t('addUser')}
        </Button>
      </Space>
      <div className="scroll" tabIndex={0} role="region" aria-label={t('users')}>
        <Table<User>
          size="small"
          aria-label={t('users')}
          rowKey="id"
          loading={q.isPending}
          dataSource={q.data?.items}
          pagination={false}
          columns={[
            {
              key: 'name',
              title: t('name'),
              render: (_, u) => (
                <>
                  <Inert text={u.name} /> {u.id === me.id && <Tag className="part">{t('you')}</Tag>}
                </>
              ),
            },
            {
              key: 'role',
              title: t('roleLabel'),
              render: (_, u) => (
                <Select
                  size="small"
                  style={{ minWidth: 130 }}
                  popupMatchSelectWidth={false}
                  aria-label={t('roleOf', { name: inert(u.name) })}
                  value={u.role}
                  onChange={(role) => void change(u, { role })}
                  options={roles.map((r) => ({ value: r, label: t(r) }))}
                />
              ),
            },
            {
              key: 'state',
              title: t('state'),
              render: (_, u) => <Tag className={`part part-${u.disabled ? 'off' : 'ok'}`}>{t(u.disabled ? 'disabled' : 'enabled')}</Tag>,
            },
            { key: 'changed', title: t('changed'), render: (_, u) => <When at={u.changed} /> },
            {
              key: 'actions',
              title: t('actions'),
              render: (_, u) => (
                <Space size={4} wrap>
                  <Button size="small" onClick={() => setResetting(u)}>
                    {t('resetPassword')}
                  </Button>
                  {u.disabled ? (
                    <Button size="small" onClick={() => void change(u, { disabled: false })}>
                      {t('enable')}
                    </Button>
                  ) : (
                    <Popconfirm title={t('disableSure', { name: inert(u.name) })} okText={t('disable')} cancelText={t('cancel')} onConfirm={() => change(u, { disabled: true })}>
                      <Button size="small">{t('disable')}</Button>
                    </Popconfirm>
                  )}
                  <Popconfirm
                    title={t('removeSure', { name: inert(u.name) })}
                    okText={t('remove')}
                    cancelText={t('cancel')}
                    onConfirm={() => act(() => client.DELETE('/api/v1/users/{id}', { params: { path: { id: u.id } } }))}
                  >
                    <Button size="small" danger>
                      {t('remove')}
                    </Button>
                  </Popconfirm>
                </Space>
              ),
            },
          ]}
        />
      </div>
      <dl className="roles">
        {roles.map((r) => (
          <div key={r}>
            <dt>{t(r)}</dt>
            <dd>{t(`${r}May` as keyof typeof text)}</dd>
          </div>
        ))}
      </dl>
      {adding && (
        <AddUser
          close={() => setAdding(false)}
          done={(name) => {
            setAdding(false);
            message.success(t('created', { name: inert(name) }));
            again();
          }}
        />
      )}
      {resetting && (
        <ResetPassword
          user={resetting}
          reload={again}
          close={() => setResetting(undefined)}
          done={() => {
            setResetting(undefined);
            message.success(t('resetDone'));
            again();
          }}
        />
      )}
    </>
  );
}

type NewUser = { name: string; role: Role; password: string };

function AddUser({ close, done }: { close: () => void; done: (name: string) => void }) {
  const t = useText(text);
  const [form] = Form.useForm<NewUser>();
  const [draft, keep, forget] = useDraft<{ name?: string; role?: Role }>('user', { role: 'viewer' });
  const { send, sending, trouble } = useSend(form, ['name', 'role', 'password']);
  return (
    <Modal open title={t('addUser')} footer={null} onCancel={close} mask={{ closable: false }} closable={{ 'aria-label': t('close') }} afterOpenChange={(shown) => shown && form.focusField('name')}>
      {trouble.whole && <Alert type="error" title={trouble.whole} role="alert" style={{ marginBottom: 12 }} />}
      <Form<NewUser>
        form={form}
        layout="vertical"
        initialValues={draft}
        onValuesChange={(_, all) => keep({ name: all.name, role: all.role })} // never the password
        onFinish={async (v) => {
          const name = v.name.trim();
          if (await send(() => client.POST('/api/v1/users', { body: { ...v, name } }))) {
            forget();
            done(name);
          }
        }}
      >
        <Form.Item name="name" label={t('name')} extra={t('nameHelp')} rules={[{ required: true, whitespace: true, message: t('nameMissing') }]}>
          <Input maxLength={64} autoComplete="off" spellCheck={false} autoCapitalize="none" />
        </Form.Item>
        <Form.Item name="role" label={t('roleLabel')}>
          <Select optionRender={(o) => <RoleChoice role={o.value as Role} />} options={roles.map((r) => ({ value: r, label: t(r) }))} />
        </Form.Item>
        <NewPassword name="password" label={t('password')} />
        <p className="soft">{t('signInHint')}</p>
        <Button type="primary" htmlType="submit" loading={sending}>
          {t('create')}
        </Button>
      </Form>
    </Modal>
  );
}

function RoleChoice({ role }: { role: Role }) {
  const t = useText(text);
  return (
    <span className="role-choice">
      <strong>{t(role)}</strong>
      <span className="soft">{t(`${role}May` as keyof typeof text)}</span>
    </span>
  );
}

function ResetPassword({ user, close, done, reload }: { user: User; close: () => void; done: () => void; reload: () => void }) {
  const t = useText(text);
  const [form] = Form.useForm<{ password: string }>();
  const { send, sending, trouble } = useSend(form, ['password']);
  return (
    <Modal open title={t('resetOf', { name: inert(user.name) })} footer={null} onCancel={close} mask={{ closable: false }} closable={{ 'aria-label': t('close') }} afterOpenChange={(shown) => shown && form.focusField('password')}>
      {trouble.whole && (
        <Alert
          type="error"
          title={trouble.whole}
          role="alert"
          style={{ marginBottom: 12 }}
          action={
            trouble.stale && (
              <Button size="small" onClick={() => (reload(), close())}>
                {t('reload')}
              </Button>
            )
          }
        />
      )}
      <Form
        form={form}
        layout="vertical"
        onFinish={async ({ password }) => {
          if (await send(() => client.PATCH('/api/v1/users/{id}', { params: { path: { id: user.id } }, body: { rev: user.rev, password } }))) done();
        }}
      >
        <NewPassword name="password" label={t('newPassword')} />
        <p className="soft">{t('signInHint')}</p>
        <Button type="primary" htmlType="submit" loading={sending}>
          {t('save')}
        </Button>
      </Form>
    </Modal>
  );
}
