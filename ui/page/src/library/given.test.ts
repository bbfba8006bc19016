import { describe, expect, it } from "vitest";
import { chosen, mayBePicture, parent } from "./given.ts";

describe("given files", () => {
  it("keep the folders that they lay in", () => {
    expect(parent("/Holiday 2024/Kyoto/1.jpg")).toBe("Holiday 2024/Kyoto");
    expect(parent("Holiday 2024/1.jpg")).toBe("Holiday 2024");
    expect(parent("1.jpg")).toBe("");
    const file = new File(["x"], "1.jpg");
    Object.defineProperty(file, "webkitRelativePath", { value: "Holiday 2024/1.jpg" });
    expect(chosen([file])).toEqual([{ file, folder: "Holiday 2024" }]);
  });

  it("may be pictures, or are something else", () => {
    expect(mayBePicture(new File([], "a.HEIC"))).toBe(true);
    expect(mayBePicture(new File([], "a", { type: "image/png" }))).toBe(true);
    expect(mayBePicture(new File([], "notes.txt", { type: "text/plain" }))).toBe(false);
    expect(mayBePicture(new File([], "Thumbs.db"))).toBe(false);
  });
});
