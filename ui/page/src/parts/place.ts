const gap = 6;
const edge = 8;

/** placeBelow puts a panel of the top layer below the button that opens it, or above, where there is more room, inside the window. */
export function placeBelow(panel: HTMLElement, button: HTMLElement): void {
  const box = button.getBoundingClientRect();
  const widest = Math.min(380, innerWidth - 2 * edge);
  const toEnd = box.left + widest > innerWidth - edge;
  panel.style.maxWidth = `${widest}px`;
  const above = box.top > innerHeight / 2;
  panel.style.top = above ? "auto" : `${box.bottom + gap}px`;
  panel.style.bottom = above ? `${innerHeight - box.top + gap}px` : "auto";
  panel.style.left = toEnd ? "auto" : `${Math.max(edge, box.left)}px`;
  panel.style.right = toEnd ? `${Math.max(edge, innerWidth - box.right)}px` : "auto";
  const room = above ? box.top : innerHeight - box.bottom;
  panel.style.maxHeight = `${Math.max(160, room - gap - edge)}px`;
}
