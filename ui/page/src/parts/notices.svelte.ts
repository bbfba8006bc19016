const shownFor = 6000; // milliseconds

/** What the page says for a while at its lower edge, and what it says to screen readers alone. */
class Notices {
  toasts = $state<{ id: number; text: string }[]>([]);
  announced = $state("");
  #next = 0;

  toast(text: string): void {
    const id = this.#next++;
    this.toasts.push({ id, text });
    setTimeout(() => (this.toasts = this.toasts.filter((each) => each.id !== id)), shownFor);
  }

  /** announce tells screen readers something without moving the focus. */
  announce(text: string): void {
    this.announced = text;
  }
}

export const notices = new Notices();
