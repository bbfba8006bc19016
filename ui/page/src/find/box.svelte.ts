import { address, blank, listFilters, singleFilters, type ListFilter, type SingleFilter, type State } from "../address";
import { lang } from "../words";
import { valueName } from "./filtering.ts";
import { asText, joined, part } from "./tokens.ts";

/** A filter in the search box: typed in it, or chosen elsewhere. text is how somebody types it. */
export type Token = { id: string; text: string; shown: string } & (
  { key: ListFilter | SingleFilter; value: string } | { key: null; at: number }
);

/**
 * What stands in the search box: words, and filters as tokens. Together they are one text, which can be copied, pasted and sent. What is
 * changed in it holds once it is sent, but for a token that is removed.
 */
export class Box {
  /** What is typed, without the filters. */
  text = $state("");
  #typed = $state.raw<readonly string[]>([]);
  /** Chosen filters that are being edited as text, and fall away when that is sent. */
  #lifted = $state.raw<readonly string[]>([]);

  tokens = $derived.by<Token[]>(() => {
    const { state } = address;
    const chosen: Token[] = [];
    const add = (key: ListFilter | SingleFilter, value: string) => {
      const text = asText(key, value);
      const shown = `${lang.t.filterNames[key]}: ${valueName(key, value)}`;
      if (!this.#lifted.includes(text)) chosen.push({ id: `${key}=${value}`, text, shown, key, value });
    };
    if (state.view === "search") {
      for (const { key } of listFilters) for (const value of state[key]) add(key, value);
      for (const { key } of singleFilters) if (state[key]) add(key, state[key]);
    }
    const typed = this.#typed.map<Token>((text, at) => ({ id: `${at} ${text}`, text, shown: text, key: null, at }));
    return [...chosen, ...typed];
  });

  /** The whole text: words, and every filter as somebody would type it. */
  whole = $derived(joined({ typed: this.tokens.map(({ text }) => text), rest: this.text }));

  /** query is what was typed: words and filters. */
  get query(): string {
    return joined({ typed: [...this.#typed], rest: this.text });
  }

  /** show puts a query into the box. */
  show(query: string): void {
    const { typed, rest } = part(query);
    this.text = rest;
    this.#typed = typed;
    this.#lifted = [];
  }

  /** gather makes tokens of the filters that are typed; a last word that may go on stays. */
  gather(all = false): void {
    const open = all ? "" : (/(?:"[^"]*"?|[^\s"])+$/.exec(this.text)?.[0] ?? "");
    const { typed, rest } = part(this.text.slice(0, this.text.length - open.length));
    if (!typed.length) return;
    this.#typed = [...this.#typed, ...typed];
    this.text = rest && open ? `${rest} ${open}` : rest || open;
    if (this.text && !open) this.text += " ";
  }

  /** edit makes a token text again. */
  edit(token: Token): void {
    if (token.key === null) this.#typed = this.#typed.filter((_, at) => at !== token.at);
    else this.#lifted = [...this.#lifted, token.text];
    this.text = [this.text.trim(), token.text].filter(Boolean).join(" ");
  }

  /** changes is what the address gets when the box is sent. */
  changes(): Partial<State> {
    this.gather(true);
    this.text = this.text.trim();
    const { state } = address;
    const q = this.query;
    if (state.view !== "search") return { ...blank(), q };
    const kept = listFilters.map(({ key }) => [key, state[key].filter((value) => !this.#isLifted(key, value))]);
    const single = singleFilters.map(({ key }) => [key, this.#isLifted(key, state[key]) ? "" : state[key]]);
    this.#lifted = [];
    return { ...Object.fromEntries([...kept, ...single]), q, open: "" };
  }

  /** without is what the address gets when a token is taken away. */
  without(token: Token): Partial<State> {
    if (token.key === null) {
      this.#typed = this.#typed.filter((_, at) => at !== token.at);
      return {
        q: part(address.state.q).typed.includes(token.text)
          ? withoutText(address.state.q, token.text)
          : address.state.q,
        open: "",
      };
    }
    const now = address.state[token.key];
    return { [token.key]: typeof now === "string" ? "" : now.filter((value) => value !== token.value), open: "" };
  }

  #isLifted(key: ListFilter | SingleFilter, value: string): boolean {
    return value !== "" && this.#lifted.includes(asText(key, value));
  }
}

function withoutText(query: string, text: string): string {
  const { typed, rest } = part(query);
  const at = typed.indexOf(text);
  return joined({ typed: typed.filter((_, each) => each !== at), rest });
}
