import type { SearchRequest } from "../api";
import { area, filter, filterCount, filterParameters, filters, format, blank, type State } from "../address";

/** Pictures that are loaded first. */
export const page = 60;

/** How many pictures can be looked at closely, and for how many milliseconds at most. */
export const mostDeep = 1000;
const deepTime = 10_000;

/** Whether the library is browsed, and nothing is looked for. */
export const isBrowsing = (state: State): boolean => !state.q && !state.record && !state.like && !state.image;

/** Whether a state is the first screen: nothing is looked for, filtered or open. */
export const isFirstScreen = (state: State): boolean =>
  state.view === "search" && isBrowsing(state) && filterCount(state) === 0;

/** question is the part of a state that decides which pictures are shown, and in which order. */
export function question(state: State): string {
  const keys = [
    "q",
    "record",
    "like",
    "crop",
    "image",
    "sort",
    "show",
    "deep",
    ...filters.map((each) => each.key),
  ] as const;
  return format({ ...blank(), ...Object.fromEntries(keys.map((key) => [key, state[key]])) });
}

/** alike lists the records that are the query together. */
export const alike = (state: State): string[] => state.like.split(",").filter((id) => /^[0-9]+$/.test(id));

/** How many pictures can be one query. */
export const mostPictures = 16;

/** requestOf makes a state into a search. */
export function requestOf(state: State): Partial<SearchRequest> {
  const value: Partial<SearchRequest> = {
    limit: page,
    filter: { ...filter(state), kinds: ["image"] },
    explain: true,
    highlight: true,
  };
  const crop = area(state);
  if (state.q) value.text = state.q;
  if (state.record) value.record = state.record;
  const like = alike(state);
  if (like.length) value.records = like;
  if (crop) value.crop = crop;
  if (/^[1-9][0-9]{0,3}$/.test(state.deep)) {
    value.rerank_count = Math.min(Number(state.deep), mostDeep);
    value.rerank_ms = deepTime;
  }
  if (state.sort) value.sort = state.sort as SearchRequest["sort"];
  if (state.show) value.show = state.show as SearchRequest["show"];
  return value;
}

/** listing makes a state into the parameters of a list of records. */
export const listing = (state: State) => ({
  ...filterParameters(state),
  kind: "image",
  limit: page,
  sort: state.sort === "relevance" ? "" : state.sort,
});

// How captions begin before they come to what the picture shows.
const opening = /^(here we see|this is|an? (photo|image|picture|drawing) of)\s+/i;

/** A first search to try, with the picture whose caption it is. */
export type Example = { id: string; text: string };

/** examples are the shortest captions of a library, each once. */
export function examples(captions: readonly Example[], count: number): Example[] {
  const found = new Map<string, Example>();
  for (const { id, text } of captions) {
    const short = text.replace(opening, "");
    if (short && !found.has(short)) found.set(short, { id, text: short });
  }
  return [...found.values()].sort((a, b) => a.text.length - b.text.length).slice(0, count);
}
