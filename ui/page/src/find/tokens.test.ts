import { describe, expect, it } from "vitest";
import { asText, joined, part } from "./tokens.ts";

describe("filters in a query", () => {
  it("are taken out of it, wherever they stand", () => {
    expect(part('two cats tag:travel folder:"Italy 2019" asleep')).toEqual({
      typed: ["tag:travel", 'folder:"Italy 2019"'],
      rest: "two cats asleep",
    });
    expect(part("Rating:>=4")).toEqual({ typed: ["Rating:>=4"], rest: "" });
  });

  it("are neither questions, nor phrases, nor unfinished", () => {
    for (const query of [
      'cats ask:"are they asleep?"=yes',
      '"tag:x" cats',
      "tag: cats",
      'folder:"Ita',
      "-(a cat tag:x)",
    ])
      expect(part(query)).toEqual({ typed: [], rest: query });
  });

  it("come back as one text", () => {
    expect(joined(part("tag:a cats"))).toBe("cats tag:a");
    expect(joined({ typed: [], rest: " " })).toBe("");
    expect(asText("folder", "/pictures/Italy 2019")).toBe('folder:"/pictures/Italy 2019"');
    expect(asText("format", "jpeg")).toBe("type:jpeg");
  });
});
