import { Alert, App, Button, Form, Input, InputNumber, Select, Skeleton } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { api, client, Trouble, type Schemas } from '../../api/client';
import { useSession } from '../../api/session';
import { Teach } from '../../parts/Teach';
import { TroubleView } from '../../parts/TroubleView';
import { useFormat } from '../../parts/useFormat';
import { Bars } from '../../charts/Bars';
import { useText } from '../../text/text';
import { text } from './text';
import { useSend } from './useSend';
import { byMonth } from './days';

type Setting = Schemas['Setting'];

/** What is kept for how long, what never is, and what can be set here. */
export function Retention() {
  const t = useText(text);
  return (
    <div className="cards retention">
      <section className="card">
        <h2>{t('settingsTitle')}</h2>
        <SettingsList />
      </section>
      <section className="card">
        <h2>{t('keptTitle')}</h2>
        <p className="soft">{t('keptIntro')}</p>
        <Kept />
      </section>
      <section className="card">
        <h2>{t('privacyTitle')}</h2>
        <p>{t('privacy1')}</p>
        <p>{t('privacy2')}</p>
        <p>{t('privacy3')}</p>
      </section>
    </div>
  );
}

function SettingsList() {
  const t = useText(text);
  const { may } = useSession();
  const q = api.useQuery('get', '/api/v1/settings');
  if (q.error && !q.data) return <TroubleView small error={q.error} retry={() => void q.refetch()} />;
  if (!q.data) return <Skeleton active />;
  return (
    <>
      {!may('administrator') && <p className="soft">{t('settingsNeedAdmin')}</p>}
      {q.data.items.map((s) => (
        <OneSetting key={`${s.name}/${s.rev}`} setting={s} />
      ))}
    </>
  );
}

function OneSetting({ setting: s }: { setting: Setting }) {
  const t = useText(text);
  const { may } = useSession();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [form] = Form.useForm<{ value: string }>();
  const { send, sending, trouble } = useSend(form, ['value']);
  const known = s.name in text;
  const label = known ? t(s.name as keyof typeof text) : s.name;
  const help = known ? t(`${s.name}Help` as keyof typeof text) : '';
  const choices = s.name.endsWith('.language');
  const number = s.name.startsWith('session.');
  const byDefault = t('byDefault', { value: choices ? t(s.default as 'auto') : s.default || '–' });
  const again = () => void queries.invalidateQueries({ queryKey: ['get', '/api/v1/settings'] });
  const changed = Form.useWatch('value', form);
  return (
    <Form
      form={form}
      layout="vertical"
      className="setting"
      initialValues={{ value: number ? Number(s.value) : s.value }}
      disabled={!may('administrator')}
      onFinish={async ({ value }) => {
        if (await send(() => client.PUT('/api/v1/settings/{id}', { params: { path: { id: s.name } }, body: { rev: s.rev, value: String(value ?? '') } }))) {
          message.success(t('saved'));
          again();
        }
      }}
    >
      <Form.Item name="value" label={label} extra={[help, byDefault].filter(Boolean).join(' · ')} htmlFor={s.name}>
        {choices ? (
          <Select id={s.name} options={(['auto', 'zh', 'en'] as const).map((v) => ({ value: v, label: t(v) }))} />
        ) : number ? (
          <InputNumber id={s.name} min={1} max={10080} precision={0} />
        ) : (
          <Input id={s.name} maxLength={200} />
        )}
      </Form.Item>
      {may('administrator') && changed !== undefined && String(changed ?? '') !== s.value && (
        <Button htmlType="submit" type="primary" size="small" loading={sending}>
          {t('save')}
        </Button>
      )}
      {trouble.whole && (
        <Alert
          type="error"
          title={trouble.whole}
          role="alert"
          action={
            trouble.stale && (
              <Button size="small" disabled={false} onClick={again}>
                {t('reload')}
              </Button>
            )
          }
        />
      )}
    </Form>
  );
}

function Kept() {
  const t = useText(text);
  const f = useFormat();
  const q = api.useQuery('get', '/api/v1/observations/days', {}, { retry: false });
  if (q.error) {
    if (q.error instanceof Trouble && q.error.status === 503) return <Teach title={t('keptNone')}>{t('keptNoneDo')}</Teach>;
    return <TroubleView small error={q.error} retry={() => void q.refetch()} />;
  }
  if (!q.data) return <Skeleton active />;
  const { days, aside, left_out } = q.data;
  if (days.length === 0) return <Teach title={t('keptNone')} />;
  const rows = days.reduce((n, d) => n + d.rows, 0);
  const size = days.reduce((n, d) => n + d.bytes, 0);
  return (
    <>
      <p>
        <strong>{t('keptSum', { days: f.exact(days.length), rows: f.number(rows), bytes: f.bytes(size) })}</strong>
        <br />
        <span className="soft">{t('keptRange', { from: days[0]!.day, to: days.at(-1)!.day })}</span>
      </p>
      {aside.length > 0 && <Alert type="warning" showIcon title={t('keptAside', { n: aside.length })} description={aside.join(', ')} />}
      {left_out > 0 && <p className="soft">{t('keptLeft', { n: f.exact(left_out) })}</p>}
      <Bars rows={byMonth(days).map((m) => ({ key: m.month, label: m.month, value: m.rows, text: `${f.number(m.rows)} · ${f.bytes(m.bytes)}` }))} />
    </>
  );
}
