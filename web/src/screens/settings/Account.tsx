import { Alert, App, Button, Form, Input, Segmented, Select } from 'antd';
import { client, link } from '../../api/client';
import { useSession } from '../../api/session';
import { Inert } from '../../parts/Inert';
import { useFormat } from '../../parts/useFormat';
import { When } from '../../parts/When';
import { browserZone, usePreferences, type Mode } from '../../preferences';
import { useText } from '../../text/text';
import { NewPassword } from './NewPassword';
import { text } from './text';
import { useSend } from './useSend';

const zones = (): string[] => [...new Set([browserZone(), 'UTC', ...Intl.supportedValuesOf('timeZone')])];

/** Account is who one is, the own password, and how things are shown. */
export function Account() {
  const t = useText(text);
  const f = useFormat();
  const { me, signOut } = useSession();
  const { lang, mode, zone, setLang, setMode, setZone } = usePreferences();
  return (
    <div className="cards">
      <section className="card">
        <h2>{t('accountWho')}</h2>
        <p>
          <strong>
            <Inert text={me.name} />
          </strong>{' '}
          · {t(me.role)}
        </p>
        <p className="soft">{t(`${me.role}May`)}</p>
        <p className="soft">
          {t('accountUntil')} <When at={me.expires} />
        </p>
        <Button onClick={() => void signOut()}>{t('signOut')}</Button>
      </section>
      <section className="card">
        <h2>{t('changePassword')}</h2>
        <Password />
      </section>
      <section className="card">
        <h2>{t('preferences')}</h2>
        <p className="soft">{t('preferencesKept')}</p>
        <Form layout="vertical" component="div">
          <Form.Item label={t('language')}>
            <Segmented aria-label={t('language')} value={lang} onChange={setLang} options={[{ value: 'zh', label: '中文' }, { value: 'en', label: 'English' }]} />
          </Form.Item>
          <Form.Item label={t('appearance')}>
            <Segmented<Mode> aria-label={t('appearance')} value={mode} onChange={setMode} options={(['light', 'dark', 'system'] as const).map((value) => ({ value, label: t(value) }))} />
          </Form.Item>
          <Form.Item label={t('zone')} htmlFor="zone" extra={f.timeIn(Date.now() + link.skew, 'second')}>
            <Select id="zone" showSearch value={zone} onChange={setZone} options={zones().map((z) => ({ value: z, label: z }))} />
          </Form.Item>
        </Form>
      </section>
    </div>
  );
}

type Change = { current: string; new: string; repeat: string };

function Password() {
  const t = useText(text);
  const { message } = App.useApp();
  const [form] = Form.useForm<Change>();
  const { send, sending, trouble } = useSend(form, ['current', 'new', 'password']);
  return (
    <Form<Change>
      form={form}
      layout="vertical"
      onFinish={async (v) => {
        const done = await send(async () => {
          const { data } = await client.PUT('/api/v1/session/password', { body: { current: v.current, new: v.new } });
          link.csrf = data!.csrf ?? ''; // this session has another id now
        });
        if (done) {
          form.resetFields();
          message.success(t('passwordChanged'));
        }
      }}
    >
      {trouble.whole && <Alert type="error" title={trouble.whole} role="alert" style={{ marginBottom: 12 }} />}
      <Form.Item name="current" label={t('currentPassword')} rules={[{ required: true, message: '' }]}>
        <Input.Password autoComplete="current-password" maxLength={256} />
      </Form.Item>
      <NewPassword name="new" label={t('newPassword')} />
      <Form.Item
        name="repeat"
        label={t('repeatPassword')}
        dependencies={['new']}
        rules={[{ required: true, message: '' }, ({ getFieldValue }) => ({ validator: (_, v) => (!v || v === getFieldValue('new') ? Promise.resolve() : Promise.reject(new Error(t('differ')))) })]}
      >
        <Input.Password autoComplete="new-password" maxLength={256} />
      </Form.Item>
      <p className="soft">{t('passwordOthers')}</p>
      <Button type="primary" htmlType="submit" loading={sending}>
        {t('changePassword')}
      </Button>
    </Form>
  );
}
