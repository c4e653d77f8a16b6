export const text = {
  title: { zh: 'API 资产', en: 'API inventory' },
  intro: { zh: '从流量中发现的全部 API。', en: 'Every API that traffic showed.' },
  search: { zh: '路径、站点…', en: 'Path, site…' },
  method: { zh: '方法', en: 'Method' },
  template: { zh: '路径', en: 'Path' },
  site: { zh: '站点', en: 'Site' },
  role: { zh: '业务用途', en: 'Purpose' },
  auth: { zh: '鉴权', en: 'Credential' },
  exchanges: { zh: '调用次数', en: 'Calls' },
  lastSeen: { zh: '最近出现', en: 'Last seen' },
  none: { zh: '还没有 API', en: 'No API yet' },
  noneDo: { zh: '接入流量后，API 会自动出现在这里。', en: 'APIs appear here by themselves once traffic comes in.' },
};
