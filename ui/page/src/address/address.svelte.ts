import { blank, format, parse, unknown, type State } from "./state.ts";

/** What stands in the browser's history beside an address. */
type Entry = { key: string };

/** An image that the browser holds: the query, or what is looked up. */
export type Held = { file: File; url: string };

const scrollsKey = "mekiki-scroll";
const keptScrolls = 100;

/**
 * The address of the page, as its state. Each entry of the browser's history has a key, by which views keep what they showed
 * there, and the place to which it was scrolled.
 */
export class Address {
  #state = $state.raw<State>(blank());
  #key = $state("");
  #unknown = $state(false);
  #held = $state.raw<Held | null>(null);
  #more = $state.raw<readonly Held[]>([]);
  #scrolls = new Map<string, number>();
  #traversed = $state(false);

  /** Reads the address and follows the browser's history from now on. */
  start(): void {
    history.scrollRestoration = "manual";
    this.#state = parse(location);
    this.#unknown = unknown(location);
    this.#key = (history.state as Entry | null)?.key ?? newKey();
    history.replaceState({ key: this.#key } satisfies Entry, "");
    this.#scrolls = readScrolls();
    this.#traversed = this.#scrolls.has(this.#key); // a page that was loaded again
    addEventListener("popstate", (event) => {
      this.#rememberScroll();
      this.#key = (event.state as Entry | null)?.key ?? newKey();
      this.#traversed = true;
      this.#state = parse(location);
      this.#unknown = unknown(location);
    });
    addEventListener("pagehide", () => {
      this.#rememberScroll();
      const newest = [...this.#scrolls].slice(-keptScrolls);
      sessionStorage.setItem(scrollsKey, JSON.stringify(newest));
    });
  }

  get state(): State {
    return this.#state;
  }

  /** Whether the page has no view at the address that is shown. */
  get unknown(): boolean {
    return this.#unknown;
  }

  /** Identifies the entry of the history that is shown. */
  get key(): string {
    return this.#key;
  }

  /** Whether what is shown was reached through the browser's history, and should be as it was left. */
  get traversed(): boolean {
    return this.#traversed;
  }

  /** How far down the entry that is shown was scrolled when it was left. */
  get scroll(): number {
    return this.#scrolls.get(this.#key) ?? 0;
  }

  /** The image that is the query, where one is and the browser still holds it. */
  get held(): Held | null {
    return this.#state.image ? this.#held : null;
  }

  /** All images that are the query: the one that is held, and those beside it. */
  get images(): readonly Held[] {
    return this.held ? [this.held, ...this.#more] : [];
  }

  /** go changes the state. A replacement makes no new entry in the history. */
  go(changes: Partial<State>, { replace = false } = {}): void {
    const next = { ...this.#state, ...changes };
    const target = format(next);
    if (target !== format(this.#state) || this.#unknown) {
      if (!replace) {
        this.#rememberScroll();
        this.#key = newKey();
      }
      history[replace ? "replaceState" : "pushState"]({ key: this.#key } satisfies Entry, "", target);
    }
    this.#traversed = false;
    this.#unknown = false;
    this.#state = next;
  }

  /** visit leaves what is shown for a state that differs from the first screen in these. */
  visit(changes: Partial<State>): void {
    this.go({ ...blank(), ...changes });
  }

  /** hold keeps an image, or several that are one query; a state with image: true then means them. */
  hold(file: File, ...more: readonly File[]): void {
    for (const old of [this.#held, ...this.#more]) if (old) URL.revokeObjectURL(old.url);
    const held = (each: File): Held => ({ file: each, url: URL.createObjectURL(each) });
    this.#held = held(file);
    this.#more = more.map(held);
  }

  #rememberScroll(): void {
    this.#scrolls.delete(this.#key);
    this.#scrolls.set(this.#key, scrollY);
  }
}

const newKey = () => Math.random().toString(36).slice(2, 10);

function readScrolls(): Map<string, number> {
  try {
    return new Map(JSON.parse(sessionStorage.getItem(scrollsKey) ?? "[]") as [string, number][]);
  } catch {
    return new Map(); // somebody else's, or no storage
  }
}

export const address = new Address();

/** follow lets a link lead inside the page, unless it is to open elsewhere. */
export function follow(event: MouseEvent, changes: Partial<State>): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  address.visit(changes);
}
