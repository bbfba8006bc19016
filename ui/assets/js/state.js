// The state of the page is its address: what is looked for, how, and what is open.
// An uploaded image can't be in an address; it is kept beside it, in memory.

import { filters } from "./filtertable.js";

const listeners = new Set();
const lists = filters.filter((each) => each.repeatable).map((each) => each.key);
const plain = filters.filter((each) => !each.repeatable).map((each) => each.key);
const singles = ["q", "record", "crop", ...plain, "sort", "show", "open", "level"];
const views = ["search", "lookup", "library", "duplicates"];
let current = parse(location);
let uploaded = null; // {file, url}: the image that is the query, or that is looked up

function parse(from) {
  const query = new URLSearchParams(from.search);
  const name = from.pathname.replace(/^\/+|\/+$/g, "");
  const state = { view: views.includes(name) ? name : "search" };
  for (const key of singles) state[key] = query.get(key) || "";
  for (const key of lists) state[key] = query.getAll(key);
  state.image = query.has("image");
  return state;
}

function address(state) {
  const query = new URLSearchParams();
  for (const key of singles) if (state[key]) query.set(key, state[key]);
  for (const key of lists) for (const value of state[key] || []) query.append(key, value);
  if (state.image) query.set("image", "1");
  const text = query.toString();
  const path = state.view === "search" ? "/" : `/${state.view}`;
  return path + (text ? `?${text}` : "");
}

export const get = () => current;
export const image = () => (current.image ? uploaded : null);

// go changes the state. replace: without a new entry in the history.
export function go(changes, { replace = false } = {}) {
  const before = current;
  current = { ...current, ...changes };
  const target = address(current);
  if (target !== address(before)) history[replace ? "replaceState" : "pushState"](null, "", target);
  for (const listener of listeners) listener(current, before);
}

let uploads = 0;

// setImage keeps an image and gives what to put into the state for it: another value than for the one before.
export function setImage(file) {
  if (uploaded) URL.revokeObjectURL(uploaded.url);
  uploaded = { file, url: URL.createObjectURL(file) };
  uploads += 1;
  return uploads;
}

export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const blank = { q: "", record: "", crop: "", image: false, ...unfiltered(), sort: "", show: "", open: "" };

addEventListener("popstate", () => {
  const before = current;
  current = parse(location);
  for (const listener of listeners) listener(current, before);
});

export const href = (changes) => address({ ...blank, view: "search", ...changes });

// filter is the state's filters as the API takes them.
export function filter(state) {
  const value = {};
  for (const { key, member } of filters) if (state[key].length) value[member] = state[key];
  return value;
}

// unfiltered is the state in which no filter is set.
export function unfiltered() {
  return Object.fromEntries(filters.map(({ key, repeatable }) => [key, repeatable ? [] : ""]));
}

export const filterCount = (state) => filters.reduce((sum, { key, repeatable }) => sum + (repeatable ? state[key].length : state[key] ? 1 : 0), 0);

export function crop(state) {
  if (!state.crop) return undefined;
  const [x, y, width, height] = state.crop.split(",").map(Number);
  return [x, y, width, height].every(Number.isFinite) ? { x, y, width, height } : undefined;
}
