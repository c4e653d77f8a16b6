import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { giveStylesTheNonce } from './nonce';
import './style.css';

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce;
if (nonce) giveStylesTheNonce(nonce);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <App nonce={nonce} />
  </StrictMode>,
);
