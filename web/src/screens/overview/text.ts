export const text = {
  title: { zh: '总览', en: 'Overview' },
  intro: { zh: '现在最需要处理什么。', en: 'What needs you now.' },
};
