import { Tabs } from 'antd';
import { lazy, Suspense } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { PageHead } from '../../parts/PageHead';
import { PageLoading } from '../../shell/PageLoading';
import { useText } from '../../text/text';
import './style.css';
import { text } from './text';

const Alerts = lazy(() => import('./Alerts'));
const Campaigns = lazy(() => import('./campaigns/Campaigns'));
const CampaignPage = lazy(() => import('./campaigns/CampaignPage'));
const Requests = lazy(() => import('./requests/Requests'));

/** What stays when one goes from one tab to another. */
const kept = ['range', 'from', 'to', 'site'];

/** The screen of attacks: single ones, the campaigns they make, the requests they are made of. */
export default function Attacks() {
  const t = useText(text);
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const [, , part = '', id] = pathname.split('/');
  if (part === 'campaigns' && id) {
    return (
      <Suspense fallback={<PageLoading />}>
        <CampaignPage key={id} id={decodeURIComponent(id)} />
      </Suspense>
    );
  }
  const go = (to: string) => {
    const before = new URLSearchParams(search);
    const after = new URLSearchParams([...before].filter(([name]) => kept.includes(name)));
    const query = after.toString();
    void navigate(`/attacks${to === 'alerts' ? '' : `/${to}`}${query ? `?${query}` : ''}`);
  };
  const wait = (body: React.ReactNode) => <Suspense fallback={<PageLoading />}>{body}</Suspense>;
  return (
    <>
      <PageHead title={t('title')}>{t('intro')}</PageHead>
      <Tabs
        className="atk-tabs-page"
        activeKey={part === 'campaigns' || part === 'requests' ? part : 'alerts'}
        onChange={go}
        destroyOnHidden
        items={[
          { key: 'alerts', label: t('alerts'), children: wait(<Alerts />) },
          { key: 'campaigns', label: t('campaigns'), children: wait(<Campaigns />) },
          { key: 'requests', label: t('requests'), children: wait(<Requests />) },
        ]}
      />
    </>
  );
}
