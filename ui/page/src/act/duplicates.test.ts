import { describe, expect, it } from "vitest";
import type { DuplicateMember } from "../api";
import { fileOf, folderOf, keyOf, without } from "./duplicates.ts";

const member = (id: string, path: string, name = ""): DuplicateMember => ({
  id,
  path,
  name,
  width: 4,
  height: 3,
  bytes: Number(id) * 10,
  distance: 0,
  similarity: 1,
});

describe("duplicates", () => {
  it("name files and folders", () => {
    expect([fileOf(member("1", "/a/b/c.jpg")), folderOf(member("1", "/a/b/c.jpg"))]).toEqual(["c.jpg", "/a/b"]);
    expect([fileOf(member("1", "/x", "Kyoto/c.jpg")), folderOf(member("1", "/x", "Kyoto/c.jpg"))]).toEqual([
      "c.jpg",
      "Kyoto",
    ]);
    expect(folderOf(member("1", "C:\\photos\\c.jpg"))).toBe("C:\\photos");
    expect(folderOf(member("1", "/c.jpg"))).toBe("/");
  });

  it("tell copies of one file apart", () => {
    const copies = [member("1", "/a.jpg"), member("1", "/b.jpg"), member("2", "/c.jpg")];
    const group = { members: copies, best: "1", reasons: [], reclaimable_bytes: 10 };
    expect(copies.map((each) => keyOf(group, each))).toEqual(["/a.jpg", "/b.jpg", "2"]);
  });

  it("lose pictures, and groups with one left", () => {
    const members = ["1", "2", "3"].map((id) => member(id, `/${id}.jpg`));
    const group = { members, best: "1", reasons: ["largest" as const], reclaimable_bytes: 50 };
    expect(without([group], new Set(["9"]))).toEqual([group]);
    expect(without([group], new Set(["3"]))).toMatchObject([
      { best: "1", reasons: ["largest"], reclaimable_bytes: 20 },
    ]);
    expect(without([group], new Set(["1"]))).toMatchObject([{ best: "2", reasons: [], reclaimable_bytes: 30 }]);
    expect(without([group], new Set(["2", "3"]))).toEqual([]);
  });
});
