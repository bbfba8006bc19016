const storedAs = "mekiki-panel";

/** Whether what is known of the open picture stands beside it. */
class Panel {
  #open = $state(localStorage.getItem(storedAs) !== "closed");

  get open(): boolean {
    return this.#open;
  }

  toggle(): void {
    this.#open = !this.#open;
    localStorage.setItem(storedAs, this.#open ? "open" : "closed");
  }
}

export const panel = new Panel();
