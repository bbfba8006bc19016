/** The dialogs that are open, the topmost last. What lies below a modal dialog can neither be seen nor pressed. */
class Layers {
  #open = $state.raw<readonly object[]>([]);

  get top(): object | undefined {
    return this.#open.at(-1);
  }
  put(layer: object): void {
    this.#open = [...this.#open, layer];
  }
  take(layer: object): void {
    this.#open = this.#open.filter((each) => each !== layer);
  }
}

export const layers = new Layers();
