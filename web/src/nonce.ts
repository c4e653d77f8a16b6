/**
 * The policy of the page lets only styles with its nonce in. Ant Design marks its
 * own, but a part of it that locks scrolling behind a dialog and one that measures
 * scroll bars make theirs without: whatever style element the console makes gets
 * the nonce.
 */
export function giveStylesTheNonce(nonce: string) {
  const make = document.createElement.bind(document);
  document.createElement = ((tag: string, options?: ElementCreationOptions) => {
    const e = make(tag, options);
    if (e instanceof HTMLStyleElement) e.nonce = nonce;
    return e;
  }) as typeof document.createElement;
}
