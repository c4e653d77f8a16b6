import { useLang, type Said } from '../text/text';
import { Inert } from './Inert';

/** Sentence shows a text of the API in the reader's language. */
export function Sentence({ of }: { of?: Said | null }) {
  const lang = useLang();
  return of ? <Inert text={of[lang]} /> : null;
}
