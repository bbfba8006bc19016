import { duplicates, type DuplicateGroup, type DuplicateMember } from "../api";
import { fileOf, folderOf, keyOf, without } from "./duplicates.ts";

export type Level = "bytes" | "picture" | "scene";

/** Groups of pictures that are alike, with which of them are to be removed: all but the best, until somebody says otherwise. */
export class Duplicates {
  groups = $state.raw<DuplicateGroup[]>([]);
  /** Of all groups, also those that are not loaded; null until they are known. */
  total = $state<number | null>(null);
  bytes = $state(0);
  /** How many pictures were not compared yet, and the job that does it. */
  pending = $state(0);
  job = $state("");
  error = $state.raw<unknown>(null);
  #chosen = $state.raw<ReadonlyMap<string, boolean>>(new Map());
  #controller: AbortController | null = null;

  readonly marked = $derived(this.groups.flatMap((group) => this.markedOf(group)));
  readonly folders = $derived([...new Set(this.groups.flatMap(({ members }) => members.map(folderOf)))].sort());

  async load(level: Level, offset = 0): Promise<void> {
    this.#controller?.abort();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    this.error = null;
    try {
      const answer = await duplicates(level, offset, signal);
      if (signal.aborted) return;
      this.groups = offset ? [...this.groups, ...answer.groups] : answer.groups;
      this.total = answer.total;
      this.bytes = answer.reclaimable_bytes;
      this.pending = answer.pending;
      this.job = answer.job ?? "";
    } catch (failure) {
      if (!signal.aborted) this.error = failure;
    }
  }

  /** clear forgets groups and marks, as those of another level come. */
  clear(): void {
    this.groups = [];
    this.total = null;
    this.#chosen = new Map();
  }

  stop(): void {
    this.#controller?.abort();
  }

  isMarked(group: DuplicateGroup, member: DuplicateMember): boolean {
    const [best] = group.members;
    return (
      this.#chosen.get(keyOf(group, member)) ?? (best !== undefined && keyOf(group, member) !== keyOf(group, best))
    );
  }
  mark(group: DuplicateGroup, member: DuplicateMember, removed: boolean): void {
    this.#chosen = new Map([...this.#chosen, [keyOf(group, member), removed]]);
  }
  markedOf(group: DuplicateGroup): DuplicateMember[] {
    return group.members.filter((member) => this.isMarked(group, member));
  }

  /** prefer keeps, of each group that has pictures in a folder, the first of those alone. */
  prefer(folder: string): void {
    const chosen = new Map(this.#chosen);
    for (const group of this.groups) {
      const kept = group.members.find((member) => folderOf(member) === folder);
      if (kept) for (const member of group.members) chosen.set(keyOf(group, member), member !== kept);
    }
    this.#chosen = chosen;
  }

  /** remove takes pictures out of the groups, and groups of which one is left. */
  remove(ids: ReadonlySet<string>): void {
    const before = this.groups;
    this.groups = without(before, ids);
    const freed = (groups: DuplicateGroup[]) => groups.reduce((sum, group) => sum + group.reclaimable_bytes, 0);
    this.bytes -= freed(before) - freed(this.groups);
    if (this.total !== null) this.total -= before.length - this.groups.length;
  }
}

export { fileOf, folderOf };
