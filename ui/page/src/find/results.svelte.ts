import { tick, untrack } from "svelte";
import { aborted, layout, records, search, searchStream, type Layout, type LibraryRecord } from "../api";
import type { Hit, SearchAnswer } from "../api";
import { address, type State } from "../address";
import { labels } from "../look/labels.svelte.ts";
import { restoreImage } from "./heldimage.ts";
import { session } from "../session.svelte.ts";
import { isBrowsing, listing, question, requestOf } from "./question.ts";

/**
 * A picture of the list: a hit of a search, or a record of the library, whose label is fetched when it comes into sight. ratio is
 * its width divided by its height, in thousandths, and day counts from 1970-01-01.
 */
export type Item = { id: string; label: string; ratio: number; day: number | null; hit?: Hit };

// Milliseconds after which what stands is shown, though the second look goes on.
const held = 350;

/** What a list was when it was left, to be shown again when its reader comes back. */
type Kept = Pick<Results, "items" | "answer" | "total"> & { next: string | number | undefined };

const keptLists = 10;
const restoredPages = 20; // loaded at most, to come back to a place far down

/** The pictures that the address asks for: the first answer at once, then the order that matching gives. */
export class Results {
  items = $state.raw<Item[]>([]);
  /** The latest answer to a search; null while the library is browsed, and until the first one comes. */
  answer = $state.raw<SearchAnswer | null>(null);
  /** Pictures that pass the filters, where the library is browsed. */
  total = $state<number | null>(null);
  error = $state.raw<unknown>(null);
  /** Why further pictures did not come. */
  moreError = $state.raw<unknown>(null);
  /** The image of the search is not there any more. */
  imageGone = $state(false);
  /** How many pictures the second look is at; 0 while there is none. */
  looking = $state(0);
  /** Records that the first screen shows, for examples of what to look for. */
  first = $state.raw<LibraryRecord[]>([]);

  /** Whether the answer is the last one of its stream. */
  settled = $derived(isSettled(this.answer));

  #controller: AbortController | null = null;
  #next = $state<string | number>();
  #loadingMore = false;
  #kept = new Map<string, Kept>();
  #ordered: Item[] | null = null; // the pictures of the latest answer, in its order
  #shown = ""; // the question whose answers are shown

  /** Whether there are more than are loaded. */
  get hasMore(): boolean {
    return this.#next !== undefined;
  }

  /** run asks what the address asks, or shows again what it had shown. */
  async run(): Promise<void> {
    const { state, traversed } = address;
    const held = untrack(() => address.held);
    this.#leave();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    if (session.failed) void session.start();
    const asked = question(state);
    const place = traversed ? address.scroll : 0;
    const kept = traversed && !state.image ? this.#kept.get(asked) : undefined;
    this.#shown = asked;
    this.#reset(kept);
    if (kept) return this.#scrollTo(place, signal);
    if (state.image && !held && !(await restoreImage())) {
      this.imageGone = !signal.aborted;
      return;
    }
    try {
      if (isBrowsing(state)) await this.#browse(state, signal);
      else await this.#search(state, files(), signal);
      await this.#scrollTo(place, signal);
    } catch (error) {
      if (!aborted(error) && !signal.aborted) this.#fail(error);
    }
  }

  /** more loads what comes after the pictures that are there, unless that is under way. */
  async more(): Promise<void> {
    const signal = this.#controller?.signal;
    if (!signal || signal.aborted || this.#loadingMore || this.#next === undefined || this.moreError) return;
    if (this.answer && !this.settled) return; // the order is not settled yet
    this.#loadingMore = true;
    try {
      await this.#loadMore(address.state, signal);
    } catch (error) {
      if (!signal.aborted) this.moreError = error;
    }
    if (!signal.aborted) this.#loadingMore = false;
  }

  retryMore(): Promise<void> {
    this.moreError = null;
    return this.more();
  }

  /** remove takes pictures out of every list. */
  remove(ids: ReadonlySet<string>): void {
    this.items = this.items.filter((item) => !ids.has(item.id));
    if (this.total !== null) this.total -= ids.size;
    for (const [asked, kept] of this.#kept) {
      this.#kept.set(asked, { ...kept, items: kept.items.filter((item) => !ids.has(item.id)) });
    }
  }

  /** stop ends what is under way and keeps the list for who comes back. */
  stop(): void {
    this.#leave();
  }

  #leave(): void {
    this.#controller?.abort();
    if (!this.items.length || this.error) return;
    this.#kept.delete(this.#shown);
    this.#kept.set(this.#shown, { items: this.items, answer: this.answer, total: this.total, next: this.#next });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > keptLists && !oldest.done) this.#kept.delete(oldest.value);
  }

  #reset(kept?: Kept): void {
    this.#ordered = null;
    this.answer = kept?.answer ?? null;
    this.total = kept?.total ?? null;
    this.#next = kept?.next;
    this.error = this.moreError = null;
    this.imageGone = this.#loadingMore = false;
    this.looking = 0;
    this.items = kept?.items ?? [];
  }

  #fail(error: unknown): void {
    this.#reset();
    this.error = error;
  }

  async #browse(state: State, signal: AbortSignal): Promise<void> {
    const asked = listing(state);
    const [list, all] = await Promise.all([records(asked, signal), layout({ ...asked, limit: undefined }, signal)]);
    labels.know(list.records);
    this.total = all.ids.length;
    this.first = list.records;
    this.items = ofLayout(all);
  }

  /**
   * search shows an answer once its order stands. What the second look may still take away is not shown: nothing that was there
   * goes. Where it takes long, the strong hits that it has read come one after the other, and their order follows in the end.
   */
  async #search(state: State, image: readonly File[], signal: AbortSignal): Promise<void> {
    const begun = performance.now();
    await searchStream(requestOf(state), image, signal, (answer) => {
      if (signal.aborted) return;
      if (answer.stage === "first") {
        this.looking = Math.max(1, answer.rerank_planned);
        return;
      }
      if (answer.stage === "matching") {
        if (performance.now() - begun >= held && !state.sort) this.#append(strong(answer.hits.map(ofHit)));
        if (this.items.length) this.answer = answer;
        return;
      }
      this.looking = 0;
      this.answer = answer;
      this.#next = answer.next;
      this.#ordered = answer.hits.map(ofHit);
      this.items = inHand() ? keepPlaces(this.items, this.#ordered) : this.#ordered;
    });
    if (!signal.aborted) this.looking = 0;
  }

  /** putInOrder gives the pictures the order of the answer, if something was kept in its place under the pointer. */
  putInOrder(): void {
    const ordered = this.#ordered;
    if (!ordered || !this.settled || inHand()) return;
    this.#ordered = null;
    if (ordered.every(({ id }, at) => this.items[at]?.id === id)) return;
    const first = new Set(ordered.map(({ id }) => id));
    const there = new Set(this.items.map(({ id }) => id));
    this.items = [...ordered.filter(({ id }) => there.has(id)), ...this.items.filter(({ id }) => !first.has(id))];
  }

  async #loadMore(state: State, signal: AbortSignal): Promise<void> {
    if (!this.answer) return; // all of a library that is browsed are there
    const request = { ...requestOf(state), offset: Number(this.#next) };
    const { cursor } = this.answer;
    const answer = await search(cursor ? { ...request, cursor } : request, files(), signal);
    if (signal.aborted) return;
    this.#next = answer.next;
    this.answer = { ...this.answer, cursor: answer.cursor ?? "", hidden: answer.hidden, stage: "final" };
    this.#append(answer.hits.map(ofHit));
  }

  /** append takes none twice: a list may have moved between two pages. */
  #append(more: Item[]): void {
    const known = new Set(this.items.map((item) => item.id));
    this.items = [...this.items, ...more.filter((item) => !known.has(item.id))];
  }

  async #scrollTo(place: number, signal: AbortSignal): Promise<void> {
    await tick();
    const tooShort = () => document.documentElement.scrollHeight < place + innerHeight;
    for (let page = 0; page < restoredPages && place && this.hasMore && tooShort() && !signal.aborted; page += 1) {
      await this.more();
      await tick();
    }
    if (!signal.aborted && place) scrollTo({ top: place });
  }
}

export const isSettled = (answer: SearchAnswer | null): boolean =>
  answer?.stage === "reranked" || answer?.stage === "final";

const ofHit = (hit: Hit): Item => ({
  id: hit.id,
  hit,
  label: hit.caption || hit.title || hit.name || hit.path,
  ratio: hit.width && hit.height ? Math.round((1000 * hit.width) / hit.height) : 1000,
  day: hit.taken ? Math.floor(Date.parse(hit.taken) / (24 * 60 * 60 * 1000)) : null,
});

const files = () => address.images.map(({ file }) => file);

const strong = (items: Item[]) => items.filter(({ hit }) => hit?.verdict === "strong");

/** Whether the pointer or the focus is on a picture. */
const inHand = () => document.querySelector(".grid:is(:hover, :focus-within)") !== null;

/** keepPlaces leaves the pictures that are shown where they are, as the answer has them now, and puts the others behind them. */
export function keepPlaces(shown: readonly Item[], ordered: readonly Item[]): Item[] {
  const now = new Map(ordered.map((item) => [item.id, item]));
  const kept = shown.flatMap(({ id }) => now.get(id) ?? []);
  const there = new Set(kept.map(({ id }) => id));
  return [...kept, ...ordered.filter(({ id }) => !there.has(id))];
}

/** ofLayout makes items of a layout's columns. */
export const ofLayout = (all: Layout): Item[] =>
  all.ids.map((id, at) => ({ id, label: "", ratio: all.ratios[at] ?? 1000, day: all.days[at] ?? null }));

export const results = new Results();
