import { Alert, Button, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { client, type Schemas, Trouble } from '../api/client';
import { describe } from '../parts/TroubleView';
import { useLang, useText } from '../text/text';

const text = {
  title: { zh: '登录已过期', en: 'Your session is over' },
  intro: { zh: '页面上未保存的内容仍在。请再次输入密码，然后继续。', en: 'What you typed is still there. Enter the password again and go on.' },
  password: { zh: '{name} 的密码', en: 'Password of {name}' },
  send: { zh: '继续', en: 'Go on' },
  other: { zh: '换用其他账号', en: 'Use another account' },
};

/** SignInAgain asks for the password over whatever is on the screen. */
export function SignInAgain({ name, done }: { name: string; done: (me: Schemas['Me']) => void }) {
  const t = useText(text);
  const lang = useLang();
  const [trouble, setTrouble] = useState<string>();
  const [sending, setSending] = useState(false);
  const send = async ({ password }: { password: string }) => {
    setSending(true);
    setTrouble(undefined);
    try {
      const { data } = await client.POST('/api/v1/session', { body: { name, password } });
      done(data!);
    } catch (e) {
      const d = describe(e instanceof Error ? e : new Trouble(0), lang);
      setTrouble(`${d.title} ${d.detail}`);
    } finally {
      setSending(false);
    }
  };
  return (
    <Modal open title={t('title')} footer={null} closable={false} keyboard={false} mask={{ closable: false }} zIndex={3000}>
      <p>{t('intro')}</p>
      {trouble && <Alert type="error" title={trouble} role="alert" style={{ marginBottom: 16 }} />}
      <Form layout="vertical" onFinish={send}>
        <Form.Item label={t('password', { name })} name="password" rules={[{ required: true, message: '' }]}>
          <Input.Password autoFocus autoComplete="current-password" />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={sending} block>
          {t('send')}
        </Button>
        <Button type="link" href="/login" block>
          {t('other')}
        </Button>
      </Form>
    </Modal>
  );
}
