import { Select } from 'antd';
import { api } from '../api/client';
import { inert } from '../text/inert';
import { useText } from '../text/text';
import { useUrl } from './url';

const text = {
  every: { zh: '全部站点', en: 'All sites' },
  label: { zh: '站点', en: 'Site' },
};

/** SitePicker holds the screen to one site, in the URL as site. */
export function SitePicker() {
  const t = useText(text);
  const url = useUrl();
  const sites = api.useQuery('get', '/api/v1/sites', { params: { query: { limit: 200 } } }, { staleTime: 60_000 });
  return (
    <Select
      allowClear
      showSearch
      className="site-picker"
      placeholder={t('every')}
      aria-label={t('label')}
      popupMatchSelectWidth={false}
      value={url.get('site')}
      loading={sites.isPending}
      onChange={(v?: string) => url.set({ site: v ?? null })}
      options={(sites.data?.items ?? []).map((s) => ({ value: s.site.name, label: inert(s.site.name) }))}
    />
  );
}
