import * as api from "../api";
import { aborted } from "../api";

const atOnce = 2; // pictures that the server is asked about at a time

/** A picture that a label fits, surely or possibly. */
export type Fit = { id: string; sure: boolean };

/** Which of some labels describe which of some pictures. */
export class Labelling {
  done = $state(0);
  busy = $state(false);
  /** The pictures of each label; null before it was asked. */
  found = $state.raw<ReadonlyMap<string, readonly Fit[]> | null>(null);
  error = $state.raw<unknown>(null);
  #controller: AbortController | null = null;

  /** run asks about every picture, a few at a time. What is known when it is stopped stays. */
  async run(ids: readonly string[], labels: readonly string[]): Promise<void> {
    this.stop();
    const controller = (this.#controller = new AbortController());
    this.done = 0;
    this.busy = true;
    this.error = null;
    this.found = new Map(labels.map((label) => [label, []]));
    const left = [...ids];
    const one = async () => {
      for (let id = left.shift(); id !== undefined && !controller.signal.aborted; id = left.shift()) {
        await this.#ask(id, labels, controller.signal);
      }
    };
    try {
      await Promise.all(Array.from({ length: atOnce }, one));
    } catch (error) {
      if (!aborted(error) && !controller.signal.aborted) this.error = error;
      controller.abort();
    }
    if (this.#controller === controller) this.busy = false;
  }

  stop(): void {
    this.#controller?.abort();
    this.busy = false;
  }

  async #ask(record: string, labels: readonly string[], signal: AbortSignal): Promise<void> {
    const answer = await api.labels({ record, labels, limit: labels.length }, null, signal);
    if (signal.aborted) return;
    const next = new Map(this.found);
    for (const { text, verdict } of answer.texts) {
      if (verdict !== "none") next.set(text, [...(next.get(text) ?? []), { id: record, sure: verdict === "strong" }]);
    }
    this.found = next;
    this.done += 1;
  }
}
