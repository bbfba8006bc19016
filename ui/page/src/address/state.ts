// The state of the page is its address: what is looked for, how, and what is open.
import { filters } from "./filters.ts";

export const views = ["search", "lookup", "library", "duplicates", "collections", "trash"] as const;
export type View = (typeof views)[number];

type Filter = (typeof filters)[number];
export type ListFilter = Extract<Filter, { repeatable: true }>["key"];
export type SingleFilter = Extract<Filter, { repeatable: false }>["key"];
export type Facet = Exclude<Filter["facet"], "">;

export const listFilters = filters.filter((each) => each.repeatable);
export const singleFilters = filters.filter((each) => !each.repeatable);

export type State = {
  view: View;
  /** The query's words, the record that is the query, and the part of either picture: "x,y,width,height". */
  q: string;
  record: string;
  /** Several records that are the query together: "3,5,8". */
  like: string;
  crop: string;
  /** Whether an image that the browser holds is the query. */
  image: boolean;
  sort: string;
  show: string;
  /** How many pictures are looked at closely, where it is more than usual. */
  deep: string;
  /** The record that is open in the viewer. */
  open: string;
  /** How alike duplicates are. */
  level: string;
} & Record<ListFilter, readonly string[]> &
  Record<SingleFilter, string>;

const texts = [
  "q",
  "record",
  "like",
  "crop",
  ...singleFilters.map((each) => each.key),
  "sort",
  "show",
  "deep",
  "open",
  "level",
] as const;
const lists = listFilters.map((each) => each.key);

/** unfiltered is what a state has when no filter is set. */
export function unfiltered(): Pick<State, ListFilter | SingleFilter> {
  const values = filters.map(({ key, repeatable }) => [key, repeatable ? [] : ""]);
  return Object.fromEntries(values) as Pick<State, ListFilter | SingleFilter>;
}

/** blank is the state of the first screen. */
export function blank(): State {
  const none = {
    q: "",
    record: "",
    like: "",
    crop: "",
    image: false,
    sort: "",
    show: "",
    deep: "",
    open: "",
    level: "",
  };
  return { view: "search", ...none, ...unfiltered() };
}

/** unknown tells whether the page has no view at an address. */
export function unknown(from: { pathname: string }): boolean {
  const name = from.pathname.replace(/^\/+|\/+$/g, "");
  return !["", "index.html", ...views].includes(name);
}

export function parse(from: { pathname: string; search: string }): State {
  const query = new URLSearchParams(from.search);
  const state = blank();
  const name = from.pathname.replace(/^\/+|\/+$/g, "");
  state.view = views.find((view) => view === name) ?? "search";
  for (const key of texts) state[key] = query.get(key) ?? "";
  for (const key of lists) state[key] = query.getAll(key);
  state.image = query.has("image");
  return state;
}

export function format(state: State): string {
  const query = new URLSearchParams();
  for (const key of texts) if (state[key]) query.set(key, state[key]);
  for (const key of lists) for (const value of state[key]) query.append(key, value);
  if (state.image) query.set("image", "1");
  const text = query.toString();
  return (state.view === "search" ? "/" : `/${state.view}`) + (text ? `?${text}` : "");
}

/** href is the address of a state that differs from the first screen in these. */
export const href = (changes: Partial<State>): string => format({ ...blank(), ...changes });

/** filter is a state's filters as requests in JSON take them. */
export function filter(state: State): Record<string, string | readonly string[]> {
  const set = filters.filter(({ key }) => state[key].length > 0);
  return Object.fromEntries(set.map(({ key, member }) => [member, state[key]]));
}

/** filterParameters is a state's filters as query strings take them. */
export function filterParameters(state: State): Record<string, string | readonly string[]> {
  return Object.fromEntries(filters.map(({ key }) => [key, state[key]]));
}

export const filterCount = (state: State): number =>
  filters.reduce((sum, { key, repeatable }) => sum + (repeatable ? state[key].length : state[key] ? 1 : 0), 0);

export type Area = { x: number; y: number; width: number; height: number };

/** area is the part of the query's picture that is looked at, in fractions of its sides. */
export function area(state: State): Area | undefined {
  const [x, y, width, height, ...rest] = state.crop.split(",").map(Number);
  if (x === undefined || y === undefined || width === undefined || height === undefined || rest.length)
    return undefined;
  return [x, y, width, height].every(Number.isFinite) ? { x, y, width, height } : undefined;
}

export const formatArea = ({ x, y, width, height }: Area): string =>
  [x, y, width, height].map((value) => value.toFixed(4)).join(",");
