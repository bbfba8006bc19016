const shownFor = 6000; // milliseconds
const actionFor = 12000; // where there is something to do about it

/** What can be done about what a notice says. */
export type Action = { label: string; run: () => unknown };

/** What the page says for a while at its lower edge, and what it says to screen readers alone. */
class Notices {
  toasts = $state<{ id: number; text: string; action?: Action | undefined }[]>([]);
  announced = $state("");
  #next = 0;

  toast(text: string, action?: Action): void {
    const id = this.#next++;
    this.toasts.push({ id, text, action });
    setTimeout(() => this.drop(id), action ? actionFor : shownFor);
  }

  drop(id: number): void {
    this.toasts = this.toasts.filter((each) => each.id !== id);
  }

  /** announce tells screen readers something without moving the focus. */
  announce(text: string): void {
    this.announced = text;
  }
}

export const notices = new Notices();
