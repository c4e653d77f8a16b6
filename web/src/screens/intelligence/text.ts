export const text = {
  title: { zh: '情报', en: 'Intelligence' },
  intro: { zh: '关于一个地址、账号或指纹，我们知道什么。', en: 'What is known of an address, an account or a fingerprint.' },
};
