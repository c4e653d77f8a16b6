import { Button, Drawer, Skeleton, Space, Tooltip } from 'antd';
import { LinkOutlined } from '@ant-design/icons';
import { App } from 'antd';
import { lazy, Suspense, useCallback, type ComponentType, type LazyExoticComponent } from 'react';
import { Boundary } from './Boundary';
import { useUrl } from '../parts/url';
import { useText } from '../text/text';

/**
 * The one drawer. What is in it stands in the URL as open=kind~id, so that a
 * link shows it too; following something inside replaces it, and Back goes back.
 */
export type Kind = 'api' | 'defect' | 'attack' | 'campaign' | 'entity' | 'decision';

export type PanelProps = { id: string };

const panels: Record<Kind, LazyExoticComponent<ComponentType<PanelProps>>> = {
  api: lazy(() => import('../screens/inventory/ApiPanel')),
  defect: lazy(() => import('../screens/defects/DefectPanel')),
  attack: lazy(() => import('../screens/attacks/AttackPanel')),
  campaign: lazy(() => import('../screens/attacks/CampaignPanel')),
  entity: lazy(() => import('../screens/intelligence/EntityPanel')),
  decision: lazy(() => import('../screens/response/DecisionPanel')),
};

const text = {
  api: { zh: 'API', en: 'API' },
  defect: { zh: '缺陷', en: 'Defect' },
  attack: { zh: '攻击', en: 'Attack' },
  campaign: { zh: '团伙战役', en: 'Campaign' },
  entity: { zh: '实体', en: 'Entity' },
  decision: { zh: '决定', en: 'Decision' },
  link: { zh: '复制链接', en: 'Copy link' },
  copied: { zh: '链接已复制', en: 'Link copied' },
  refused: { zh: '浏览器不允许复制；链接就是地址栏的内容。', en: 'The browser did not allow it; the link is what the address bar holds.' },
  close: { zh: '关闭', en: 'Close' },
};

/** useOpen opens something in the drawer. */
export function useOpen(): (kind: Kind, id: string) => void {
  const url = useUrl();
  return useCallback((kind, id) => url.set({ open: `${kind}~${id}`, tab: null }, { push: true }), [url]);
}

/** Panels inside the drawer keep their tab in the URL under this name. */
export const tabName = 'tab';

export function TheDrawer() {
  const t = useText(text);
  const url = useUrl();
  const { message } = App.useApp();
  const opened = url.get('open');
  const cut = opened?.indexOf('~') ?? -1;
  const kind = (cut > 0 ? opened!.slice(0, cut) : '') as Kind;
  const id = opened?.slice(cut + 1) ?? '';
  const Panel = panels[kind] as (typeof panels)[Kind] | undefined;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      message.success(t('copied'));
    } catch {
      message.info(t('refused'));
    }
  };
  return (
    <Drawer
      open={Boolean(Panel)}
      onClose={() => url.set({ open: null, tab: null })}
      size={Math.min(960, window.innerWidth)}
      title={Panel ? t(kind) : ''}
      aria-label={Panel ? t(kind) : undefined}
      closable={{ 'aria-label': t('close') }}
      destroyOnHidden
      extra={
        <Space>
          <Tooltip title={t('link')}>
            <Button type="text" icon={<LinkOutlined />} aria-label={t('link')} onClick={copy} />
          </Tooltip>
        </Space>
      }
    >
      {Panel && (
        <Boundary key={opened}>
          <Suspense fallback={<Skeleton active />}>
            <Panel id={id} />
          </Suspense>
        </Boundary>
      )}
    </Drawer>
  );
}
