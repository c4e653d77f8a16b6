import { App, Dropdown, type MenuProps } from 'antd';
import { useNavigate } from 'react-router';
import { inert } from '../text/inert';
import { useName, useText } from '../text/text';
import { Inert } from './Inert';
import { useOpen, type Kind } from '../shell/drawer';
import { useUrl } from './url';

/** What a chip can stand for, beside what the drawer opens. */
export type EntityKind =
  | 'client' | 'prefix' | 'asn' | 'country' | 'network' | 'actor' | 'account' | 'session' | 'agent'
  | 'site' | 'api' | 'attack' | 'campaign' | 'defect' | 'type';

const text = {
  client: { zh: '地址', en: 'address' },
  prefix: { zh: '网段', en: 'network' },
  asn: { zh: '自治域', en: 'ASN' },
  country: { zh: '国家/地区', en: 'country' },
  network: { zh: '网络类型', en: 'network type' },
  actor: { zh: '访问者', en: 'actor' },
  account: { zh: '账号', en: 'account' },
  session: { zh: '会话', en: 'session' },
  agent: { zh: '客户端指纹', en: 'client fingerprint' },
  site: { zh: '站点', en: 'site' },
  api: { zh: 'API', en: 'API' },
  attack: { zh: '攻击', en: 'attack' },
  campaign: { zh: '团伙战役', en: 'campaign' },
  defect: { zh: '缺陷', en: 'defect' },
  type: { zh: '数据类型', en: 'data type' },
  open: { zh: '打开', en: 'Open' },
  filter: { zh: '只看它', en: 'Show only this' },
  exclude: { zh: '排除它', en: 'Leave this out' },
  traffic: { zh: '查看它的请求', en: 'See its requests' },
  copy: { zh: '复制', en: 'Copy' },
  copied: { zh: '已复制', en: 'Copied' },
  refused: { zh: '浏览器不允许复制，请手动选择：{value}', en: 'The browser did not allow it; select it by hand: {value}' },
};

const opens: Partial<Record<EntityKind, Kind>> = {
  client: 'entity', prefix: 'entity', asn: 'entity', country: 'entity', network: 'entity',
  actor: 'entity', account: 'entity', session: 'entity', agent: 'entity',
  api: 'api', attack: 'attack', campaign: 'campaign', defect: 'defect',
};

const traffic: ReadonlySet<EntityKind> = new Set([
  'client', 'country', 'network', 'actor', 'account', 'session', 'agent', 'site', 'api', 'attack', 'type',
]);

/**
 * Chip is a thing that can be followed: opened, filtered by, left out, copied.
 * filter names the parameter of this screen that it can be filtered by; 'not'
 * and that name, the one it is left out by.
 */
export function Chip({
  kind,
  value,
  label,
  filter,
  exclude,
}: {
  kind: EntityKind;
  value: string;
  label?: string;
  filter?: string;
  exclude?: string;
}) {
  const t = useText(text);
  const name = useName();
  const url = useUrl();
  const open = useOpen();
  const navigate = useNavigate();
  const { message } = App.useApp();

  const items: MenuProps['items'] = [{ key: 'head', type: 'group', label: t(kind) }];
  if (opens[kind]) items.push({ key: 'open', label: t('open') });
  if (filter) items.push({ key: 'filter', label: t('filter') });
  if (exclude) items.push({ key: 'exclude', label: t('exclude') });
  if (traffic.has(kind)) items.push({ key: 'traffic', label: t('traffic') });
  items.push({ key: 'copy', label: t('copy') });

  const act = async (key: string) => {
    switch (key) {
      case 'open':
        open(opens[kind]!, opens[kind] === 'entity' ? `${kind}~${value}` : value);
        break;
      case 'filter':
        url.set({ [filter!]: [...new Set([...url.all(filter!), value])] });
        break;
      case 'exclude':
        url.set({ [exclude!]: [...new Set([...url.all(exclude!), value])] });
        break;
      case 'traffic':
        await navigate(`/attacks/requests?${new URLSearchParams({ [kind]: value })}`);
        break;
      case 'copy':
        try {
          await navigator.clipboard.writeText(value);
          message.success(t('copied'));
        } catch {
          message.warning(t('refused', { value }));
        }
    }
  };

  const shown = label ?? (kind === 'network' ? name('network_type', value) : kind === 'type' ? name('sensitive', value) : value);
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items,
        onClick: ({ key, domEvent }) => {
          domEvent.stopPropagation();
          void act(key);
        },
      }}
    >
      <button type="button" className={`chip chip-${kind}`} title={`${t(kind)}: ${inert(value)}`} onClick={(e) => e.stopPropagation()}>
        <Inert text={shown} />
      </button>
    </Dropdown>
  );
}
