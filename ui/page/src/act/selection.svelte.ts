import type { Item } from "../find/results.svelte.ts";

/** The pictures that are chosen, for what is to be done with all of them. It lasts while the list does. */
class Selection {
  #ids = $state.raw<ReadonlySet<string>>(new Set());
  #anchor = ""; // the picture that was chosen last, from which a range goes

  get ids(): ReadonlySet<string> {
    return this.#ids;
  }
  get count(): number {
    return this.#ids.size;
  }
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  toggle(id: string): void {
    const next = new Set(this.#ids);
    if (!next.delete(id)) next.add(id);
    this.#anchor = id;
    this.#ids = next;
  }

  /** extend chooses all from the picture that was chosen last to another. */
  extend(items: readonly Item[], id: string): void {
    const to = items.findIndex((item) => item.id === id);
    const from = items.findIndex((item) => item.id === this.#anchor);
    if (to < 0 || from < 0) return this.toggle(id);
    const range = items.slice(Math.min(from, to), Math.max(from, to) + 1);
    this.#ids = new Set([...this.#ids, ...range.map((item) => item.id)]);
  }

  choose(ids: Iterable<string>): void {
    this.#ids = new Set(ids);
  }

  clear(): void {
    if (this.#ids.size) this.#ids = new Set();
  }
}

export const selection = new Selection();
