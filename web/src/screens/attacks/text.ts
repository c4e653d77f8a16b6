export const text = {
  title: { zh: '攻击与团伙', en: 'Attacks and campaigns' },
  intro: { zh: '谁在攻击、怎么攻击、得手了多少。', en: 'Who attacks, how, and with what result.' },
};
