export const text = {
  title: { zh: '设置', en: 'Settings' },
  intro: { zh: '用户、令牌、审计与保留期。', en: 'Users, tokens, audit and retention.' },
};
