import { Form, Input } from 'antd';
import { useText } from '../../text/text';
import { text } from './text';

/** NewPassword is a field for a new password, with its rules told before one is typed. */
export function NewPassword({ name, label }: { name: string; label: string }) {
  const t = useText(text);
  return (
    <Form.Item name={name} label={label} extra={t('passwordRules')} rules={[{ required: true, min: 12, message: t('passwordShort') }]}>
      <Input.Password autoComplete="new-password" maxLength={256} />
    </Form.Item>
  );
}
