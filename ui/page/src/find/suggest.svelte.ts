import { suggestions, type Suggestion } from "../api";
import { session } from "../session.svelte.ts";

const pauseBefore = 160; // milliseconds without a key, before the server is asked
const shortest = 2; // characters

/** The completions of what is typed, and which of them is chosen. A failure shows none: they are a help. */
export class Suggestions {
  items = $state.raw<Suggestion[]>([]);
  active = $state(-1);
  open = $derived(this.items.length > 0);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller: AbortController | null = null;

  /** typed asks for completions of a text, after a short pause. */
  typed(text: string): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#load(text.trim()), pauseBefore);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#controller?.abort();
    this.items = [];
    this.active = -1;
  }

  /** step moves to the next or the previous one; between the last and the first lies the typed text itself. */
  step(by: 1 | -1): void {
    const places = this.items.length + 1;
    this.active = ((this.active + 1 + by + places) % places) - 1;
  }

  get chosen(): Suggestion | undefined {
    return this.items[this.active];
  }

  async #load(text: string): Promise<void> {
    this.#controller?.abort();
    if (text.length < shortest || session.visit) return this.close();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    try {
      const answer = await suggestions(text, signal);
      if (signal.aborted) return;
      this.items = answer.suggestions;
      this.active = -1;
    } catch {
      if (!signal.aborted) this.close();
    }
  }
}
