const gap = 6;
const edge = 8;

/** placeBelow puts a panel of the top layer below the button that opens it, inside the window. */
export function placeBelow(panel: HTMLElement, button: HTMLElement): void {
  const box = button.getBoundingClientRect();
  const widest = Math.min(380, innerWidth - 2 * edge);
  const toEnd = box.left + widest > innerWidth - edge;
  panel.style.maxWidth = `${widest}px`;
  panel.style.top = `${box.bottom + gap}px`;
  panel.style.left = toEnd ? "auto" : `${Math.max(edge, box.left)}px`;
  panel.style.right = toEnd ? `${Math.max(edge, innerWidth - box.right)}px` : "auto";
  panel.style.maxHeight = `${Math.max(160, innerHeight - box.bottom - gap - edge)}px`;
}
