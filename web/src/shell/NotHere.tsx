import { Result } from 'antd';
import { Link } from 'react-router';
import { useText } from '../text/text';

const text = {
  title: { zh: '没有这个页面', en: 'There is no such page' },
  what: { zh: '链接可能已失效。', en: 'The link may be old.' },
  home: { zh: '回到总览', en: 'Back to the overview' },
};

export function NotHere() {
  const t = useText(text);
  return <Result status="info" title={t('title')} subTitle={t('what')} extra={<Link to="/">{t('home')}</Link>} />;
}
