import type { Said } from '../../text/text';

/** OWASP API Security Top 10 of 2023, by the numbers that defects carry. */
export const owasp: Record<string, Said> = {
  'API1:2023': { zh: '对象级授权失效', en: 'Broken object level authorization' },
  'API2:2023': { zh: '身份认证失效', en: 'Broken authentication' },
  'API3:2023': { zh: '对象属性级授权失效', en: 'Broken object property level authorization' },
  'API4:2023': { zh: '资源消耗不受限', en: 'Unrestricted resource consumption' },
  'API5:2023': { zh: '功能级授权失效', en: 'Broken function level authorization' },
  'API6:2023': { zh: '敏感业务流程不受限', en: 'Unrestricted access to sensitive business flows' },
  'API7:2023': { zh: '服务端请求伪造', en: 'Server side request forgery' },
  'API8:2023': { zh: '安全配置错误', en: 'Security misconfiguration' },
  'API9:2023': { zh: '资产管理不当', en: 'Improper inventory management' },
  'API10:2023': { zh: '不安全地使用第三方 API', en: 'Unsafe consumption of APIs' },
};
