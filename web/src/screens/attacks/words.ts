/** Outcomes of single requests; findings have no names for them. */
export const outcomes = {
  unknown: { zh: '未知', en: 'unknown' },
  success: { zh: '成功', en: 'success' },
  rejected: { zh: '业务拒绝', en: 'rejected' },
  denied: { zh: '拒绝访问', en: 'denied' },
  throttled: { zh: '限流', en: 'throttled' },
  not_found: { zh: '不存在', en: 'not found' },
  invalid: { zh: '请求无效', en: 'invalid' },
  error: { zh: '服务出错', en: 'error' },
  redirect: { zh: '跳转', en: 'redirect' },
};

export const rowVerdicts = {
  normal: { zh: '正常', en: 'normal' },
  suspicious: { zh: '可疑', en: 'suspicious' },
  attack: { zh: '攻击', en: 'attack' },
};

/** Traits that campaigns are joined on and selectors are made of. */
export const traits = {
  ip: { zh: '来源地址', en: 'address' },
  prefix: { zh: '来源网段', en: 'network' },
  ja4: { zh: 'TLS 指纹 JA4', en: 'TLS fingerprint JA4' },
  header_order: { zh: '请求头顺序', en: 'order of headers' },
  param_shape: { zh: '参数结构', en: 'shape of parameters' },
  param_value: { zh: '参数取值', en: 'value of a parameter' },
  credential: { zh: '登录凭证', en: 'credential' },
  account: { zh: '目标账号', en: 'account asked about' },
  agent: { zh: '客户端标识', en: 'client software' },
  path: { zh: '路径', en: 'path' },
  segment: { zh: '号段', en: 'range of numbers' },
  session: { zh: '会话', en: 'session' },
  phone: { zh: '号码', en: 'phone number' },
};

export type Words = Readonly<Record<string, { readonly zh: string; readonly en: string }>>;

export const wordOf = (words: Words, id: string, lang: 'zh' | 'en') => words[id]?.[lang] ?? id;

export const scenarios = ['data_theft', 'account_risk', 'marketing_fraud', 'traffic_fraud', 'exploitation'] as const;

export const kinds = [
  'account_scanning', 'credential_stuffing', 'brute_force', 'password_spraying', 'code_cracking', 'mass_registration', 'sms_abuse', 'promotion_abuse',
  'scraping', 'targeted_lookup', 'bola_exploitation', 'cross_border_access', 'fake_engagement', 'scalping', 'carding', 'vulnerability_scan', 'bot', 'flood',
] as const;

export const verdicts = ['confirmed', 'likely', 'suspicious'] as const;
