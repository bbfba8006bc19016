import { labels as askLabels, lookup, type LookupAnswer } from "../api";
import { address, area } from "../address";
import { labelsOf } from "./lists.svelte.ts";

const labelsStoredAs = "mekiki-labels";
const mostTexts = 30;

/** The words that describe a picture: of the library's texts and captions, or of one's own labels. */
export class Lookup {
  labels = $state(sessionStorage.getItem(labelsStoredAs) ?? "");
  answer = $state.raw<LookupAnswer | null>(null);
  error = $state.raw<unknown>(null);
  busy = $state(false);
  #controller: AbortController | null = null;

  /** Whether there is a picture to look up. */
  get hasPicture(): boolean {
    return Boolean(address.state.record || address.held);
  }

  async run(): Promise<void> {
    sessionStorage.setItem(labelsStoredAs, this.labels);
    this.stop();
    this.answer = this.error = null;
    if (!this.hasPicture) return;
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    this.busy = true;
    try {
      const answer = await this.#ask(signal);
      if (!signal.aborted) this.answer = answer;
    } catch (error) {
      if (!signal.aborted) this.error = error;
    }
    if (!signal.aborted) this.busy = false;
  }

  stop(): void {
    this.#controller?.abort();
    this.busy = false;
  }

  #ask(signal: AbortSignal): Promise<LookupAnswer> {
    const { state, held } = address;
    const file = held?.file ?? null;
    const crop = area(state);
    const value = { ...(state.record && { record: state.record }), ...(crop && { crop }) };
    const own = labelsOf(this.labels);
    if (!own.length) return lookup({ ...value, limit: mostTexts }, file, signal);
    return askLabels({ ...value, labels: own, limit: own.length }, file, signal);
  }
}
