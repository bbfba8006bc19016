import { SvelteMap } from "svelte/reactivity";
import { records, type LibraryRecord } from "../api";

const patience = 90; // milliseconds of rest before names are fetched, as nobody reads while pictures fly by
const most = 200; // at a time
const kept = 5000;

/** What pictures of a layout are called, fetched when they come into sight. */
class Labels {
  #known = new SvelteMap<string, string>();
  #wanted: string[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller: AbortController | null = null;

  of(id: string): string {
    return this.#known.get(id) ?? "";
  }

  know(found: readonly LibraryRecord[]): void {
    for (const record of found) this.#known.set(record.id, labelOf(record));
    for (const id of this.#known.keys()) {
      if (this.#known.size <= kept) return;
      this.#known.delete(id);
    }
  }

  /** want fetches the names of pictures, in place of those that were wanted before. */
  want(ids: readonly string[]): void {
    this.#wanted = ids.filter((id) => !this.#known.has(id)).slice(0, most);
    clearTimeout(this.#timer);
    if (this.#wanted.length) this.#timer = setTimeout(() => void this.#fetch(), patience);
  }

  async #fetch(): Promise<void> {
    this.#controller?.abort();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    try {
      const list = await records({ id: this.#wanted, limit: most }, signal);
      if (!signal.aborted) this.know(list.records);
    } catch {
      // The pictures have numbers for names, until they come into sight again.
    }
  }
}

export const labelOf = (record: LibraryRecord): string =>
  record.captions?.[0]?.text || record.metadata?.title || record.name || record.paths?.[0] || record.id;

export const labels = new Labels();
