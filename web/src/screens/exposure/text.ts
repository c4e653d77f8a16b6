export const text = {
  title: { zh: '数据暴露', en: 'Data exposure' },
  intro: { zh: '哪些', en: 'API' },
};
