import { SearchOutlined } from '@ant-design/icons';
import { Input, type InputRef } from 'antd';
import { useMemo, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { useText } from '../text/text';
import { useKeys } from './keys';

const text = {
  hint: { zh: '搜索 API、地址、攻击、缺陷…  /', en: 'Search APIs, addresses, attacks…  /' },
  label: { zh: '搜索一切', en: 'Search everything' },
};

/** SearchEverything leads to what is known of a word, an address or an id. */
export function SearchEverything() {
  const t = useText(text);
  const navigate = useNavigate();
  const field = useRef<InputRef>(null);
  const [typed, setTyped] = useState('');
  const keys = useMemo(() => ({ '/': () => field.current?.focus() }), []);
  useKeys(keys);
  return (
    <Input
      ref={field}
      className="search-everything"
      prefix={<SearchOutlined />}
      placeholder={t('hint')}
      aria-label={t('label')}
      maxLength={200}
      value={typed}
      onChange={(e) => setTyped(e.target.value)}
      onPressEnter={() => {
        const q = typed.trim();
        if (!q) return;
        setTyped('');
        field.current?.blur();
        void navigate(`/intelligence?${new URLSearchParams({ q })}`);
      }}
    />
  );
}
