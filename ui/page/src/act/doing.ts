// What is done with many pictures at once. Each says what it did, and takes it back when asked.
import * as api from "../api";
import { results } from "../find/results.svelte.ts";
import { notices, reason } from "../parts";
import { lang } from "../words";

type Change = Omit<api.EditRequest, "ids">;

/** report says what was done and offers to undo it; after that, onUndone shows it. */
function report(text: string, done: api.EditAnswer, onUndone?: () => unknown): void {
  const { undo } = done;
  if (!undo) return notices.toast(text);
  const run = () =>
    attempt(async () => {
      const undone = await api.undo(undo);
      notices.toast(lang.t.act.undone(undone.changed));
      await onUndone?.();
    });
  notices.toast(text, { label: lang.t.act.undo, run });
}

/** attempt runs something, and says why it failed. */
export async function attempt(run: () => Promise<unknown>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    notices.toast(reason(lang.t, error));
    return false;
  }
}

/** edit changes what is given to pictures; onUndone shows that it was taken back. */
export const edit = (
  ids: readonly string[],
  change: Change,
  done: (count: number) => string,
  onUndone: () => unknown = () => results.run(),
): Promise<boolean> =>
  attempt(async () => {
    const answer = await api.edit({ ids: [...ids], ...change });
    if (change.hidden) results.remove(new Set(ids));
    report(done(answer.changed), answer, onUndone);
  });

/** tagEach gives pictures their labels as tags, and takes all of them back together. */
export const tagEach = (labels: readonly (readonly [string, readonly string[]])[]): Promise<boolean> =>
  attempt(async () => {
    const undos: string[] = [];
    const changed = new Set<string>();
    const run = () =>
      attempt(async () => {
        for (let undo = undos.pop(); undo; undo = undos.pop()) await api.undo(undo);
        notices.toast(lang.t.act.undone(changed.size));
      });
    try {
      for (const [label, ids] of labels) {
        const { undo } = await api.edit({ ids: [...ids], add_tags: [label] });
        if (undo) undos.push(undo);
        ids.forEach((id) => changed.add(id));
      }
    } finally {
      if (undos.length) notices.toast(lang.t.labelling.tagged(changed.size), { label: lang.t.act.undo, run });
    }
  });

/** trash takes pictures out of sight, for as long as the trash keeps them. */
export const trash = (ids: readonly string[], onUndone: () => unknown = () => results.run()): Promise<boolean> =>
  attempt(async () => {
    const answer = await api.trash(ids);
    results.remove(new Set(ids));
    report(lang.t.act.trashed(answer.changed), answer, onUndone);
  });

export const restore = (ids: readonly string[], onUndone: () => unknown): Promise<boolean> =>
  attempt(async () => {
    const answer = await api.restore(ids);
    report(lang.t.act.restored(answer.changed), answer, onUndone);
  });

/** download has the browser fetch a file of the pictures. */
export const download = (ids: readonly string[], form: api.DownloadRequest["form"]): Promise<boolean> =>
  attempt(async () => {
    const scores = ids.map((id) => results.items.find((item) => item.id === id)?.hit?.probability);
    const known = scores.flatMap((score) => (score === undefined ? [] : [score]));
    const table = form === "csv" || form === "json";
    const made = await api.makeDownload({
      ids: [...ids],
      form,
      ...(table && known.length === ids.length ? { scores: known } : {}),
    });
    const link = document.createElement("a");
    link.href = made.url;
    link.download = "";
    link.click();
  });

/** copyPaths puts where the files lie on the clipboard, one a line. */
export const copyPaths = (ids: readonly string[]): Promise<boolean> =>
  attempt(async () => {
    const made = await api.makeDownload({ ids: [...ids], form: "paths" });
    const paths = await (await fetch(made.url)).text();
    await navigator.clipboard.writeText(paths.trimEnd());
    notices.toast(lang.t.act.copied(paths.split("\n").length - 1));
  });

/** allIds gives every picture of the list, those that are not loaded too. */
export async function allIds(): Promise<string[]> {
  while (results.hasMore) {
    const before = results.items.length;
    await results.more();
    if (results.items.length === before) break;
  }
  return results.items.map((item) => item.id);
}
