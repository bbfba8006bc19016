import { original, record as fetchRecord, rendition, type LibraryRecord } from "../api";
import { session } from "../session.svelte.ts";

const kept = 60;
const found = new Map<string, LibraryRecord>();

/** known is what was fetched of a picture lately, if it was. */
export const known = (id: string): LibraryRecord | undefined => found.get(id);

/** learn fetches what is known of a picture. */
export async function learn(id: string, signal?: AbortSignal): Promise<LibraryRecord> {
  const record = await fetchRecord(id, signal);
  found.delete(id);
  found.set(id, record);
  const oldest = found.keys().next();
  if (found.size > kept && !oldest.done) found.delete(oldest.value);
  return record;
}

const shown: readonly (string | undefined)[] = ["jpeg", "png", "gif", "webp", "avif"]; // by every browser
const light = 600_000; // bytes up to which a file itself is sent rather than made smaller
const screen = 1600;
const heavyBytes = 24 << 20;
const heavyPixels = 24_000_000;

const within = (record: LibraryRecord, side: number) => Math.max(record.width ?? 0, record.height ?? 0) <= side;

/** sourceOf is the picture that fills a screen: the file itself where browsers show it and it is no more than that. */
export function sourceOf(record: LibraryRecord): string {
  const small = (record.bytes ?? 0) <= light || within(record, screen);
  // Of an animation, only the file itself moves.
  if (session.mayOpen && shown.includes(record.format) && (small || record.format === "gif"))
    return original(record.id);
  return rendition(record.id, record.hash);
}

/** detailOf says what has every pixel of a picture: the file itself where a browser copes with it, else tiles, or nothing more. */
export function detailOf(record: LibraryRecord): "file" | "tiles" | "none" {
  if (sourceOf(record) === original(record.id) || within(record, screen)) return "none";
  const pixels = (record.width ?? 0) * (record.height ?? 0);
  const copes =
    session.mayOpen && shown.includes(record.format) && (record.bytes ?? 0) <= heavyBytes && pixels <= heavyPixels;
  return copes ? "file" : "tiles";
}
