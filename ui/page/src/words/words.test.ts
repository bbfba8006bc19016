import { describe, expect, it } from "vitest";
import en from "./en.ts";
import { formats } from "./format.ts";
import ja from "./ja.ts";

describe("words", () => {
  it("count pictures", () => {
    expect([0, 1, 2, 12431].map((count) => en.pictures(count))).toEqual([
      "0 pictures",
      "1 picture",
      "2 pictures",
      "12,431 pictures",
    ]);
    expect(en.pictures(1000, true)).toBe("1,000+ pictures");
    expect(ja.pictures(1)).toBe("1枚");
  });

  it("say sizes and times", () => {
    const { bytes, duration } = formats("en");
    expect(bytes(0)).toBe("0 byte");
    expect(bytes(4_300_000)).toBe("4.3 MB");
    expect(duration(0.2)).toBe("1 second");
    expect(duration(326)).toBe("5 minutes");
    expect(duration(7300)).toBe("2 hours");
  });

  it("are Japanese where they are to be", () => {
    const alike = Object.entries(ja).filter(([key, words]) => words === en[key as keyof typeof en]);
    expect(alike.map(([key]) => key)).toEqual(["askPlaceholder"]);
  });
});
