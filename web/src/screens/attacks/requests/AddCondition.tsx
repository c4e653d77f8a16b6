import { Button, Checkbox, Input, Popover, Select } from 'antd';
import { PlusOutlined } from '@ant-design/icons';
import { useState } from 'react';
import { useUrl } from '../../../parts/url';
import { useName, useText } from '../../../text/text';
import { text } from '../text';
import { fault, leavable, singles, type Single } from './query';

const networks = ['data_centre', 'broadband', 'mobile', 'enterprise', 'education', 'shared_exit', 'vpn', 'tor', 'cdn', 'search_bot', 'reserved'];

/** AddCondition narrows by a value that is typed, or leaves it out. */
export function AddCondition() {
  const t = useText(text);
  const name = useName();
  const url = useUrl();
  const [shown, setShown] = useState(false);
  const [field, setField] = useState<Single>('client');
  const [value, setValue] = useState('');
  const [without, setWithout] = useState(false);
  const [wrong, setWrong] = useState<ReturnType<typeof fault>>();
  const may = leavable.includes(field);
  const add = () => {
    const typed = field === 'country' ? value.trim().toUpperCase() : value.trim();
    const bad = fault(field, typed);
    setWrong(bad);
    if (!typed || bad) return;
    const key = without && may ? `not.${field}` : field;
    url.set({ [key]: key === field ? typed : [...new Set([...url.all(key), typed])] });
    setValue('');
    setShown(false);
  };
  const form = (
    <form
      className="atk-condition"
      onSubmit={(e) => {
        e.preventDefault();
        add();
      }}
    >
      <Select aria-label={t('field')} value={field} onChange={(s) => (setField(s), setWrong(undefined))} options={singles.map((s) => ({ value: s, label: t(s) }))} />
      {field === 'network' ? (
        <Select aria-label={t('fieldValue')} value={value || undefined} onChange={setValue} options={networks.map((n) => ({ value: n, label: name('network_type', n) }))} />
      ) : (
        <Input aria-label={t('fieldValue')} placeholder={t('fieldValue')} value={value} maxLength={256} status={wrong ? 'error' : undefined} onChange={(e) => (setValue(e.target.value), setWrong(undefined))} autoFocus />
      )}
      {wrong && <span role="alert" className="atk-wrong">{t(wrong)}</span>}
      {may && (
        <Checkbox checked={without} onChange={(e) => setWithout(e.target.checked)}>
          {t('leaveOut')}
        </Checkbox>
      )}
      <Button type="primary" htmlType="submit">
        {t('addDo')}
      </Button>
    </form>
  );
  return (
    <Popover open={shown} onOpenChange={setShown} trigger="click" placement="bottomLeft" content={form} destroyOnHidden>
      <Button icon={<PlusOutlined />}>{t('addFilter')}</Button>
    </Popover>
  );
}
