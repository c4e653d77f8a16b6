import { Alert, App, Button, Form, Input, InputNumber, Modal, Select, Space } from 'antd';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { api, client, now } from '../../api/client';
import { problemFields } from '../../parts/problemFields';
import { useDraft } from '../../parts/useDraft';
import { useUrl } from '../../parts/url';
import { When } from '../../parts/When';
import { inert } from '../../text/inert';
import { useLang, useName, useText } from '../../text/text';
import { names } from '../../text/names.gen';
import { Covered } from './Covered';
import { text } from './text';

type Draft = {
  site?: string;
  host?: string;
  method?: string;
  template?: string;
  approval?: 'export' | 'partner' | 'scanner';
  clients?: string[];
  max_records?: number | null;
  kinds?: string[];
  days?: number;
  reason?: string;
};

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'WS'];
const ends = [7, 30, 90, 180, 365, 0] as const;
const day = 86_400_000;
const defectKinds = Object.keys(names)
  .filter((k) => k.startsWith('defect_kind.'))
  .map((k) => k.slice('defect_kind.'.length));

const fields = ['site', 'host', 'method', 'template', 'approval', 'clients', 'max_records', 'kinds', 'reason', 'expires'];

/** target is what a draft names, as the API takes it. */
const target = (d: Draft) => ({ site: d.site || undefined, host: d.host?.trim() || undefined, method: d.method || undefined, template: d.template?.trim() || undefined });

/** terms are what is approved there. */
const terms = (d: Draft) => ({
  approval: d.approval,
  clients: d.clients?.length ? d.clients : undefined,
  max_records: d.max_records ?? undefined,
  kinds: d.kinds?.length ? d.kinds : undefined,
});

/** AllowForm puts a public API or an approval on the allow-list; what it would cover is shown beside. */
export function AllowForm({ kind, close }: { kind: 'public' | 'approval'; close: () => void }) {
  const t = useText(text);
  const lang = useLang();
  const name = useName();
  const url = useUrl();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const [form] = Form.useForm<Draft>();
  const given = useMemo<Draft>(
    () => ({ site: url.get('for'), host: url.get('host'), method: url.get('method'), template: url.get('template') }),
    // What a link brought stands at the beginning; later the form has its own mind.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [],
  );
  const [kept, keep, forget] = useDraft<Draft>(`allow.${kind}`, { days: kind === 'public' ? 0 : 90, approval: 'partner' });
  const [draft, setDraft] = useState<Draft>(() => ({ ...kept, ...Object.fromEntries(Object.entries(given).filter(([, v]) => v)) }));
  const [sending, setSending] = useState(false);
  const [trouble, setTrouble] = useState('');
  const sites = api.useQuery('get', '/api/v1/sites', { params: { query: { limit: 200 } } }, { staleTime: 60_000 });
  const expires = draft.days ? new Date(now() + draft.days * day).toISOString() : undefined;

  const send = async (d: Draft) => {
    setSending(true);
    setTrouble('');
    const { template, ...where } = target(d);
    const reason = d.reason!.trim();
    try {
      if (kind === 'public') await client.POST('/api/v1/policy/public', { body: { ...where, template: template!, reason, expires } });
      else {
        await client.POST('/api/v1/policy/approvals', {
          body: { ...where, template, ...terms(d), approval: d.approval!, reason, expires },
        });
      }
      forget();
      message.success(t('added'));
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/policy'] });
      close();
    } catch (e) {
      const told = problemFields(e, fields, lang);
      form.setFields(Object.entries(told.fields).map(([n, errors]) => ({ name: (n === 'expires' ? 'days' : n) as keyof Draft, errors })));
      setTrouble(told.whole);
      // A refused decision is kept as such: the list shows it.
      void queries.invalidateQueries({ queryKey: ['get', '/api/v1/policy'] });
    } finally {
      setSending(false);
    }
  };

  return (
    <Modal
      open
      width={Math.min(1000, window.innerWidth - 24)}
      title={t(kind === 'public' ? 'addPublic' : 'addApproval')}
      onCancel={close}
      footer={null}
      mask={{ closable: false }}
      afterOpenChange={(shown) => shown && form.focusField('template')}
      closable={{ 'aria-label': t('cancel') }}
    >
      <div className="allow-form">
        <Form<Draft>
          form={form}
          layout="vertical"
          initialValues={draft}
          onValuesChange={(_, all) => {
            keep(all);
            setDraft(all);
          }}
          onFinish={(d) => void send(d)}
          requiredMark
          scrollToFirstError
        >
          {trouble && <Alert type="error" title={trouble} role="alert" style={{ marginBottom: 12 }} />}
          <div className="pair">
            <Form.Item name="site" label={t('site')}>
              <Select allowClear showSearch placeholder={t('everySite')} loading={sites.isPending} options={(sites.data?.items ?? []).map((s) => ({ value: s.site.name, label: inert(s.site.name) }))} />
            </Form.Item>
            <Form.Item name="host" label={t('formHost')} extra={t('formHostHelp')}>
              <Input maxLength={256} spellCheck={false} autoCapitalize="none" />
            </Form.Item>
          </div>
          <div className="pair">
            <Form.Item name="method" label={t('formMethod')}>
              <Select allowClear placeholder={t('formMethodAny')} options={methods.map((value) => ({ value, label: value }))} />
            </Form.Item>
            <Form.Item name="template" label={t('formTemplate')} rules={[{ required: kind === 'public', pattern: /^\//, message: t('formTemplateMissing') }]} extra={t('formTemplateHelp')}>
              <Input maxLength={1000} spellCheck={false} autoCapitalize="none"  />
            </Form.Item>
          </div>
          {kind === 'approval' && (
            <>
              <div className="pair">
                <Form.Item name="approval" label={t('formApproval')} rules={[{ required: true, message: '' }]}>
                  <Select options={(['partner', 'export', 'scanner'] as const).map((value) => ({ value, label: t(value) }))} />
                </Form.Item>
                <Form.Item name="max_records" label={t('formMax')}>
                  <InputNumber min={1} max={4294967295} precision={0} style={{ width: '100%' }} placeholder={t('anyRecords')} />
                </Form.Item>
              </div>
              <Form.Item name="clients" label={t('formClients')} extra={t('formClientsHelp')}>
                <Select mode="tags" tokenSeparators={[',', ' ', '，', '、', ';']} open={false} suffixIcon={null} maxCount={256} />
              </Form.Item>
              <Form.Item name="kinds" label={t('formKinds')} extra={t('formKindsHelp')}>
                <Select mode="multiple" optionFilterProp="label" options={defectKinds.map((value) => ({ value, label: name('defect_kind', value) }))} />
              </Form.Item>
            </>
          )}
          <Form.Item name="days" label={t('formExpires')} extra={expires && <When at={expires} />}>
            <Select options={ends.map((n) => ({ value: n, label: n ? t('days', { n }) : t('noEnd') }))} />
          </Form.Item>
          <Form.Item name="reason" label={t('formReason')} rules={[{ required: true, whitespace: true, message: t('formReasonMissing') }]} extra={t('formReasonHelp')}>
            <Input.TextArea maxLength={1000} autoSize={{ minRows: 2, maxRows: 6 }} />
          </Form.Item>
          <Space wrap>
            <Button type="primary" htmlType="submit" loading={sending}>
              {t('save')}
            </Button>
            <Button
              onClick={() => {
                forget();
                form.resetFields();
                const empty: Draft = { days: kind === 'public' ? 0 : 90, approval: 'partner' };
                form.setFieldsValue({ ...Object.fromEntries(fields.map((f) => [f, undefined])), ...empty });
                setDraft(empty);
              }}
            >
              {t('discard')}
            </Button>
            <span className="soft">{t('keptDraft')}</span>
          </Space>
        </Form>
        <Covered entry={{ kind, ...target(draft), ...(kind === 'approval' ? terms(draft) : {}) }} />
      </div>
    </Modal>
  );
}
