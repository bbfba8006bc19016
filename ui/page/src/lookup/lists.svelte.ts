const storedAs = "mekiki-label-lists";

/** Labels under a name, to be asked again of other pictures. */
export type LabelList = { name: string; labels: readonly string[] };

/** labelsOf reads labels, one a line. */
export const labelsOf = (text: string): string[] => [
  ...new Set(
    text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  ),
];

function read(): LabelList[] {
  try {
    const kept = JSON.parse(localStorage.getItem(storedAs) ?? "[]") as unknown;
    return Array.isArray(kept) ? kept.filter(isList) : [];
  } catch {
    return []; // somebody else wrote it
  }
}

function isList(value: unknown): value is LabelList {
  const list = value as Partial<LabelList> | null;
  return (
    typeof list?.name === "string" &&
    Array.isArray(list.labels) &&
    list.labels.every((each) => typeof each === "string")
  );
}

/** The lists of labels that this browser keeps, by name. */
class LabelLists {
  all = $state.raw<readonly LabelList[]>(read());

  keep(name: string, labels: readonly string[]): void {
    const others = this.all.filter((list) => list.name !== name);
    this.#set([...others, { name, labels }].sort((a, b) => a.name.localeCompare(b.name)));
  }
  forget(name: string): void {
    this.#set(this.all.filter((list) => list.name !== name));
  }
  #set(lists: readonly LabelList[]): void {
    this.all = lists;
    localStorage.setItem(storedAs, JSON.stringify(lists));
  }
}

export const labelLists = new LabelLists();
