const storedAs = "mekiki-recent";
const most = 6;

/** What was searched for last, kept in this browser alone. */
class Recent {
  #searches = $state.raw<readonly string[]>(read());

  get searches(): readonly string[] {
    return this.#searches;
  }

  /** add puts a search first. */
  add(search: string): void {
    const text = search.trim();
    if (text) this.#keep([text, ...this.#searches.filter((other) => other !== text)].slice(0, most));
  }

  clear(): void {
    this.#keep([]);
  }

  #keep(searches: readonly string[]): void {
    this.#searches = searches;
    localStorage.setItem(storedAs, JSON.stringify(searches));
  }
}

function read(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storedAs) ?? "[]");
    return Array.isArray(stored) ? stored.filter((each) => typeof each === "string").slice(0, most) : [];
  } catch {
    return []; // somebody else's
  }
}

export const recent = new Recent();
