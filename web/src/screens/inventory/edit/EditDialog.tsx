import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, Modal, Radio, Segmented, Select, Space } from 'antd';
import { useState } from 'react';
import { client, type Schemas } from '../../../api/client';
import { Inert } from '../../../parts/Inert';
import { Problem } from '../../../parts/Problem';
import { nameOf, useLang, useName, useText } from '../../../text/text';
import { names as allNames } from '../../../text/names.gen';
import { isParameter, join, literalFault, mergeAt, nameFault, parameterName, pathOf, segments, splitAt } from '../edits';
import { Preview } from './Preview';
import { useEditName } from './EditNotes';
import { text } from './text';

type API = Schemas['API'];

export const kinds = ['rename', 'split', 'merge', 'role'] as const;

export type Kind = (typeof kinds)[number];

export type Draft = Partial<{ at: number; literal: string; name: string; title: string; names: Record<string, string>; role: string; host: boolean; method: boolean; reason: string }>;

/** EditDialog corrects how an API is known: what it will do is shown before it is done. */
export function EditDialog({ of: a, close }: { of: API; close: () => void }) {
  const t = useText(text);
  const lang = useLang();
  const name = useName();
  const queries = useQueryClient();
  const { message } = App.useApp();
  const said = useEditName();
  const [form] = Form.useForm<Draft>();
  const [kind, setKind] = useState<Kind>('rename');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const draft: Draft = { host: true, method: true, ...Form.useWatch([], { form, preserve: true }) };
  const parts = segments(a.template);
  const parameters = parts.flatMap((s, i) => (isParameter(s) ? [{ i, name: parameterName(s) }] : []));
  const literals = parts.flatMap((s, i) => (isParameter(s) ? [] : [{ i, s }]));
  const impossible = kind === 'split' && parameters.length === 0 ? t('noParameter') : kind === 'merge' && literals.length === 0 ? t('noLiteral') : undefined;

  const send = async () => {
    setBusy(true);
    setError(undefined);
    try {
      const body = bodyOf(a, kind, { ...draft, ...form.getFieldsValue(true) });
      const { data } = await client.POST('/api/v1/templates', { body });
      message.success(t('done', { what: said(data!) }));
      await queries.invalidateQueries({ predicate: (q) => /\/(policy|apis|counts\/apis)/.test(String(q.queryKey[1])) });
      close();
    } catch (e) {
      setError(e);
    } finally {
      setBusy(false);
    }
  };
  const must = (fault: (v: string) => 'empty' | 'signs' | 'long' | 'name' | 'number' | undefined) => ({
    validator: async (_: unknown, v?: string) => {
      const wrong = fault(v ?? '');
      if (wrong) throw new Error(t(`fault.${wrong}`));
    },
  });
  const filled = must((v) => (v.trim() ? undefined : 'empty'));
  return (
    <Modal open title={t('title')} onCancel={close} footer={null} width={640} destroyOnHidden mask={{ closable: false }}>
      <p>
        <Inert code text={`${a.method} ${a.template}`} />
      </p>
      <Segmented<Kind> block value={kind} onChange={setKind} options={kinds.map((k) => ({ value: k, label: t(k) }))} aria-label={t('kind')} />
      <p className="soft gap">
        {t(`help.${kind}`)} {t('sticky')} {a.operation ? t('operation') : ''}
      </p>
      {impossible ? (
        <p>{impossible}</p>
      ) : (
        <Form<Draft>
          form={form}
          layout="vertical"
          preserve
          onFinish={() => void send()}
          initialValues={{
            at: kind === 'merge' ? literals.at(-1)?.i : parameters.at(-1)?.i, host: true, method: true, title: a.title,
            names: Object.fromEntries(parameters.map((p) => [p.i, p.name])),
          }}
        >
          {kind === 'split' && (
            <>
              {parameters.length > 1 && (
                <Form.Item name="at" label={t('parameter')}>
                  <Radio.Group options={parameters.map((p) => ({ value: p.i, label: `{${p.name}}` }))} />
                </Form.Item>
              )}
              <Form.Item name="literal" label={t('literal')} extra={t('literalHelp')} rules={[must(literalFault)]} required>
                <Input maxLength={200} autoFocus addonBefore={join(parts.slice(0, draft.at ?? parameters.at(-1)?.i ?? 0)).replace(/\/$/, '') + '/'} />
              </Form.Item>
            </>
          )}
          {kind === 'merge' && (
            <>
              <Form.Item name="at" label={t('segment')}>
                <Radio.Group options={literals.map((l) => ({ value: l.i, label: <Inert code text={l.s} /> }))} />
              </Form.Item>
              <Form.Item name="name" label={t('parameterName')} rules={[must(nameFault)]} required>
                <Input maxLength={40} />
              </Form.Item>
            </>
          )}
          {kind === 'rename' && (
            <>
              <Form.Item name="title" label={t('newTitle')}>
                <Input maxLength={100} autoFocus />
              </Form.Item>
              {parameters.length > 0 && (
                <Form.Item label={t('names')}>
                  <Space wrap>
                    {parameters.map((p) => (
                      <Form.Item key={p.i} name={['names', String(p.i)]} noStyle rules={[must(nameFault)]}>
                        <Input maxLength={40} aria-label={`${t('names')} ${p.name}`} style={{ width: 180 }} />
                      </Form.Item>
                    ))}
                  </Space>
                </Form.Item>
              )}
            </>
          )}
          {kind === 'role' && (
            <Form.Item name="role" label={t('newRole')} rules={[filled]} required>
              <Select
                showSearch={{ optionFilterProp: 'label' }}
                options={Object.keys(allNames)
                  .filter((k) => k.startsWith('role.') && k !== `role.${a.role}`)
                  .map((k) => ({ value: k.slice(5), label: nameOf('role', k.slice(5), lang) }))
                  .sort((x, y) => x.label.localeCompare(y.label, lang))}
              />
            </Form.Item>
          )}
          <Form.Item name="host" label={t('scope')}>
            <Radio.Group
              options={[
                { value: true, label: <Inert text={t('scopeHere', { host: a.host })} /> },
                { value: false, label: <Inert text={t('scopeSite', { site: a.site })} /> },
              ]}
            />
          </Form.Item>
          {(kind === 'rename' || kind === 'role') && (
            <Form.Item name="method">
              <Radio.Group options={[{ value: true, label: t('onlyMethod', { method: a.method }) }, { value: false, label: t('allMethods') }]} aria-label={t('scope')} />
            </Form.Item>
          )}
          <Form.Item name="reason" label={t('reason')} extra={t('reasonHelp')} rules={[{ required: true, whitespace: true, message: t('reasonNeeded') }]}>
            <Input.TextArea rows={2} maxLength={300} />
          </Form.Item>
          <Preview of={a} kind={kind} draft={draft} roleName={(r) => name('role', r)} />
          <Problem error={error} />
          <Space className="gap dialog-foot">
            <Button onClick={close}>{t('cancel')}</Button>
            <Button type="primary" htmlType="submit" loading={busy}>
              {t('save')}
            </Button>
          </Space>
        </Form>
      )}
    </Modal>
  );
}

/** placeOf is the segment that a draft is about. */
export function placeOf(a: API, kind: Kind, d: Draft): number {
  const parts = segments(a.template);
  const fits = (i: number | undefined) => i !== undefined && parts[i] !== undefined && isParameter(parts[i]) === (kind === 'split');
  return fits(d.at) ? d.at! : parts.findLastIndex((s) => isParameter(s) === (kind === 'split'));
}

/** templateOf is the template that an edit names. */
export function templateOf(a: API, kind: Kind, d: Draft): string {
  switch (kind) {
    case 'split':
      return splitAt(a.template, placeOf(a, kind, d), d.literal ?? '');
    case 'merge':
      return mergeAt(a.template, placeOf(a, kind, d), d.name || 'id');
    case 'rename':
      return join(segments(a.template).map((s, i) => (isParameter(s) && d.names?.[i] ? s.replace(/^\{[^}]*\}/, `{${d.names[i]}}`) : s)));
    case 'role':
      return pathOf(a.template);
  }
}

export function bodyOf(a: API, kind: Kind, d: Draft): Schemas['NewTemplate'] {
  return {
    edit: kind, site: a.site, host: d.host === false ? undefined : a.host, template: templateOf(a, kind, d), reason: d.reason!.trim(),
    ...(kind === 'rename' && d.title?.trim() ? { title: d.title.trim() } : {}),
    ...(kind === 'role' ? { role: d.role } : {}),
    ...((kind === 'rename' || kind === 'role') && d.method !== false ? { method: a.method } : {}),
  };
}
