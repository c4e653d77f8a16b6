export const text = {
  title: { zh: '缺陷', en: 'Defects' },
  intro: { zh: '开发人员要修复什么。', en: 'What developers have to mend.' },
};
