export const text = {
  title: { zh: '报表', en: 'Reports' },
  intro: { zh: '按月汇总，可打印、可转发。', en: 'A month to print and to forward.' },
};
