import { facets, type FacetLevel, type FacetsRequest, type FacetTree } from "../api";
import { address, listFilters, unfiltered, type ListFilter, type State } from "../address";
import { requestOf } from "./question.ts";

const valuesShown = 60; // of a level

/** countsOf is the search of a state as the counts of its hits are asked for. */
export function countsOf(state: State): Partial<FacetsRequest> {
  const { limit, explain, highlight, sort, ...search } = requestOf(state);
  void [limit, explain, highlight, sort];
  return { ...search, limit: valuesShown };
}

/** without is a state in which one filter, or the dates, do not limit: what else could be chosen is counted so. */
const without = (state: State, keys: readonly (keyof ReturnType<typeof unfiltered>)[]): State => {
  const free = unfiltered();
  return { ...state, ...Object.fromEntries(keys.map((key) => [key, free[key]])) };
};

/** The counts of the pictures that are shown, by each filter. They stay until newer ones come. */
export class Counts {
  trees = $state.raw<Record<string, FacetTree>>({});
  failed = $state(false);
  #controller: AbortController | null = null;

  /** load counts the pictures of a state. A filter that is set is counted as if it were not, so that more can be chosen. */
  async load(state: State): Promise<void> {
    this.#controller?.abort();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    const ask = (of: State, names?: FacetsRequest["of"]) =>
      facets(
        { ...countsOf(of), ...(names ? { of: names } : {}), depth: 2 },
        address.images.map(({ file }) => file),
        signal,
      );
    try {
      const set = listFilters.filter(({ key }) => state[key].length > 0);
      const asked = [ask(state), ...set.map(({ key, facet }) => ask(without(state, [key]), [facet]))];
      if (state.after || state.before) asked.push(ask(without(state, ["after", "before"]), ["dates"]));
      const answers = await Promise.all(asked);
      if (signal.aborted) return;
      this.trees = Object.fromEntries(answers.flatMap((answer) => answer.facets.map((tree) => [tree.name, tree])));
      this.failed = false;
    } catch {
      if (!signal.aborted) this.failed = true;
    }
  }

  stop(): void {
    this.#controller?.abort();
  }

  /** below gives the next level of a value of a tree, found those values in which a word begins with a text. */
  below = (key: ListFilter, value: string) => this.#part(key, { under: value });
  find = (key: ListFilter, text: string) => this.#part(key, { find: text });

  async #part(key: ListFilter, part: Partial<FacetsRequest>): Promise<readonly FacetLevel[]> {
    const facet = listFilters.find((each) => each.key === key)?.facet;
    if (!facet) return [];
    const signal = this.#controller?.signal ?? new AbortController().signal;
    const request = { ...countsOf(without(address.state, [key])), of: [facet], ...part };
    const answer = await facets(
      request,
      address.images.map(({ file }) => file),
      signal,
    );
    return answer.facets[0]?.values ?? [];
  }
}
