import type { EditRequest, LibraryRecord } from "../api";

/** What a form shows of pictures: what all of them have, or that they differ. */
export type Shared = { value: string; differs: boolean };

/** The fields of the form. */
export type Fields<T> = { title: T; date: T; description: T; people: T };

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

/** namesOf are the names of a list with commas between them. */
export const namesOf = (list: string): string[] => [
  ...new Set(
    list
      .split(/[,;、]/)
      .map((name) => name.trim())
      .filter(Boolean),
  ),
];

export const shared = (records: readonly LibraryRecord[]): Fields<Shared> => ({
  title: share(records.map(({ title }) => title ?? "")),
  date: share(records.map(dateOf)),
  description: share(records.map(({ description }) => description ?? "")),
  // Those that files name are not the reader's to change.
  people: share(records.map(({ given }) => (given?.people ?? []).join(", "))),
});

/** changeOf is what is to be changed, of one that was shown: what was emptied is left to the file again. */
export function changeOf(was: Fields<string>, now: Fields<string>): Partial<EditRequest> {
  const fields = ["title", "date", "description"] as const;
  const changed = fields.filter((field) => now[field].trim() !== was[field]);
  const clear = changed.filter((field) => !now[field].trim());
  const [before, after] = [namesOf(was.people), namesOf(now.people)];
  const added = after.filter((name) => !before.includes(name));
  const gone = before.filter((name) => !after.includes(name));
  return {
    ...Object.fromEntries(changed.filter((field) => now[field].trim()).map((field) => [field, now[field].trim()])),
    ...(clear.length ? { clear } : {}),
    ...(added.length ? { add_people: added } : {}),
    ...(gone.length ? { remove_people: gone } : {}),
  };
}
