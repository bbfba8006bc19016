/**
 * keepFocus gives the focus a place when what had it goes out of the page: what is around it there, or else the open dialog or the
 * page's main part. Where something better is at hand, whoever takes the element away says so itself, at the same moment.
 */
export function keepFocus(root: HTMLElement): () => void {
  let around: Element[] = []; // the focused element and what it lies in, innermost first

  const remember = (event: FocusEvent) => {
    around = [];
    for (let at = event.target as Element | null; at && at !== document.body; at = at.parentElement) around.push(at);
  };
  const observer = new MutationObserver(() => {
    const focused = around[0];
    if (!focused || focused.isConnected || document.activeElement !== document.body) return;
    const place =
      around.find((element) => element.isConnected && element.matches("dialog[open], main, [tabindex]")) ??
      document.querySelector("dialog[open]") ??
      document.querySelector("main");
    around = [];
    if (!(place instanceof HTMLElement)) return;
    if (!place.hasAttribute("tabindex")) place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });
  root.addEventListener("focusin", remember);
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    root.removeEventListener("focusin", remember);
    observer.disconnect();
  };
}
