import type { LibraryRecord } from "../api";

/** What a form shows of pictures: what all of them have, or that they differ. */
export type Shared = { value: string; differs: boolean };

const share = (values: readonly string[]): Shared => {
  const [first = ""] = values;
  const differs = values.some((value) => value !== first);
  return { value: differs ? "" : first, differs };
};

/** dateOf is when a picture was taken, as the form takes it: of midnight the day alone. */
export const dateOf = (record: LibraryRecord): string => {
  const taken = record.given?.date ?? record.metadata?.taken ?? "";
  return taken.slice(0, 19).replace(/T00:00:00$/, "");
};

export const shared = (records: readonly LibraryRecord[]): { title: Shared; date: Shared } => ({
  title: share(records.map(({ title }) => title ?? "")),
  date: share(records.map(dateOf)),
});

/** changeOf is what is to be changed, of one that was shown: what was emptied is left to the file again. */
export function changeOf(
  was: { title: string; date: string },
  now: { title: string; date: string },
): { title?: string; date?: string; clear?: ("title" | "date")[] } {
  const fields = ["title", "date"] as const;
  const changed = fields.filter((field) => now[field].trim() !== was[field]);
  const clear = changed.filter((field) => !now[field].trim());
  return {
    ...Object.fromEntries(changed.filter((field) => now[field].trim()).map((field) => [field, now[field].trim()])),
    ...(clear.length ? { clear } : {}),
  };
}
