import { aborted, Problem } from "../api";
import { pause } from "../api/request.ts";
import { notices, reason } from "../parts";
import { lang } from "../words";
import { mayBePicture, type Given } from "./given.ts";
import { send } from "./sending.ts";

export type Upload = Given & {
  key: number;
  state: "waiting" | "sending" | "added" | "known" | "refused" | "stopped";
  /** The record, once it is known, and why there is none. */
  id: string;
  reason: string;
};

const atOnce = 2;
const longestPause = 30; // seconds between attempts, when the server is busy or away

/** Uploads go on while the page shows something else. */
class Uploads {
  list = $state<Upload[]>([]);
  /** Files in folders that are no pictures. */
  skipped = $state(0);
  /** Counts up when something was added. */
  changes = $state(0);
  #sent = $state<Record<number, number>>({});
  #controller = new AbortController();
  #workers = 0;
  #next = 0;

  readonly done = $derived(this.list.filter(({ state }) => state !== "waiting" && state !== "sending").length);
  readonly running = $derived(this.done < this.list.length);
  readonly added = $derived(this.#count("added"));
  readonly known = $derived(this.#count("known"));
  readonly refused = $derived(this.list.filter(({ state }) => state === "refused"));
  /** The newest pictures that were added, newest first. */
  readonly newest = $derived(
    this.list
      .filter(({ id }) => id)
      .slice(-12)
      .reverse(),
  );
  readonly share = $derived.by(() => {
    const all = this.list.reduce((sum, { file }) => sum + file.size, 0);
    const sent = this.list.reduce((sum, each) => sum + (this.#sent[each.key] ?? 0), 0);
    return all ? Math.min(1, sent / all) : 0;
  });

  /** add uploads files. Of folders, only what may be a picture is taken. */
  add(given: Given[]): void {
    if (!this.running) this.clear();
    const wanted = given.filter(({ file, folder }) => !folder || mayBePicture(file));
    this.skipped += given.length - wanted.length;
    for (const each of wanted) this.list.push({ ...each, key: this.#next++, state: "waiting", id: "", reason: "" });
    while (this.#workers < Math.min(atOnce, this.list.length)) void this.#work();
  }

  /** stop ends what is being sent and forgets what waits. What was added stays. */
  stop(): void {
    for (const each of this.list) if (each.state === "waiting") each.state = "stopped";
    this.#controller.abort();
    this.#controller = new AbortController();
  }

  /** again sends once more what was refused. */
  again(): void {
    const { refused } = this;
    this.list = this.list.filter(({ state }) => state !== "refused");
    this.add(refused.map(({ file, folder }) => ({ file, folder })));
  }

  clear(): void {
    this.list = [];
    this.#sent = {};
    this.skipped = 0;
  }

  #count(state: Upload["state"]): number {
    return this.list.filter((each) => each.state === state).length;
  }

  async #work(): Promise<void> {
    this.#workers += 1;
    for (;;) {
      const next = this.list.find(({ state }) => state === "waiting");
      if (!next) break;
      next.state = "sending";
      await this.#send(next);
      this.#sent[next.key] = next.file.size;
    }
    this.#workers -= 1;
    if (this.#workers === 0) this.#finish();
  }

  async #send(each: Upload): Promise<void> {
    const { signal } = this.#controller;
    for (let wait = 1; ; wait = Math.min(longestPause, 2 * wait)) {
      try {
        const { record, added } = await send(each.file, each.folder, signal, (sent) => (this.#sent[each.key] = sent));
        each.id = record.id;
        each.state = added ? "added" : "known";
        return;
      } catch (error) {
        if (aborted(error)) {
          each.state = "stopped";
          return;
        }
        const passing = !(error instanceof Problem) || error.status === 429 || error.status === 503;
        if (!passing) {
          each.state = "refused";
          each.reason = reason(lang.t, error);
          return;
        }
      }
      await pause(wait, signal).catch(() => undefined); // the next attempt finds out
    }
  }

  #finish(): void {
    this.changes += 1;
    notices.announce(lang.t.uploadDone(this.added, this.known, this.refused.length));
  }
}

export const uploads = new Uploads();
