import type { DuplicateGroup, DuplicateMember } from "../api";

const where = (member: DuplicateMember): string => member.name || member.path;

/** fileOf is the name of a picture's file, folderOf the folder that it lies in or was put in. */
export const fileOf = (member: DuplicateMember): string => where(member).split(/[\\/]/).pop() ?? "";
export const folderOf = (member: DuplicateMember): string => where(member).replace(/[\\/]?[^\\/]*$/, "") || "/";

export const sizeOf = (members: readonly DuplicateMember[]): number =>
  members.reduce((sum, member) => sum + member.bytes, 0);

/** keyOf names a picture of a group; of copies of one file, which are one record, the copy. */
export const keyOf = ({ members }: DuplicateGroup, { id, path }: DuplicateMember): string =>
  members.some((other) => other.id === id && other.path !== path) ? path : id;

/** without gives groups without some pictures. A group of which one is left is none. */
export function without(groups: readonly DuplicateGroup[], ids: ReadonlySet<string>): DuplicateGroup[] {
  return groups.flatMap((group) => {
    const members = group.members.filter(({ id }) => !ids.has(id));
    const first = members[0];
    if (!first || members.length < 2) return [];
    if (members.length === group.members.length) return [group];
    const reasons = first.id === group.best ? group.reasons : [];
    return [{ members, best: first.id, reasons, reclaimable_bytes: sizeOf(members.slice(1)) }];
  });
}
