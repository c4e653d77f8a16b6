/** Colours of charts, told apart in both modes and by those who see few colours. */
export type Palette = {
  dark: boolean;
  ink: string;
  soft: string;
  line: string;
  paper: string;
  accent: string;
  series: string[];
  normal: string;
  suspicious: string;
  attack: string;
  blocked: string;
  levels: Record<string, string>;
};

const light: Palette = {
  dark: false,
  ink: '#1c2733', soft: '#55636f', line: '#d9dfe5', paper: '#ffffff', accent: '#0e5f76',
  series: ['#0e7490', '#c2410c', '#6d5bd0', '#b7791f', '#2f855a', '#be185d', '#4a6fa5', '#7c5e3c'],
  normal: '#8fb8c6', suspicious: '#e0a13c', attack: '#c53a2a', blocked: '#4d5d6b',
  levels: { critical: '#9b1c1c', high: '#d1481f', elevated: '#d69a1e', moderate: '#7c8ea0' },
};

const night: Palette = {
  dark: true,
  ink: '#e6ebf0', soft: '#a7b4c0', line: '#33404c', paper: '#19222b', accent: '#62bdd3',
  series: ['#4fb3cc', '#f08a5b', '#a99bf5', '#e5b95c', '#6cc394', '#f07fb1', '#8fb0e0', '#c5a37c'],
  normal: '#4c7887', suspicious: '#e0a13c', attack: '#f0685a', blocked: '#93a3b1',
  levels: { critical: '#ff7b72', high: '#f0935f', elevated: '#e5b95c', moderate: '#93a3b1' },
};

export const palette = (dark: boolean): Palette => (dark ? night : light);
