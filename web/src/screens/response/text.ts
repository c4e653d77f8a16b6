export const text = {
  title: { zh: '处置与策略', en: 'Response and policy' },
  intro: { zh: '已作出的决定、白名单与规则。', en: 'What was decided: allow-lists, approvals and rules.' },
};
