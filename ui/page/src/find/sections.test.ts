import { expect, test } from "vitest";
import type { Hit } from "../api";
import { sections } from "./sections.ts";

const hits = (...verdicts: string[]) =>
  verdicts.map((verdict) => ({ hit: { verdict, basis: "match" } as unknown as Hit }));

test("hits are parted by verdict", () => {
  expect(sections(hits("strong", "strong", "weak"), false)).toEqual([
    { at: 0, verdict: "strong", count: 2, open: false },
    { at: 2, verdict: "weak", count: 1, open: false },
  ]);
  expect(sections(hits("weak"), true)).toEqual([{ at: 0, verdict: "weak", count: 1, open: true }]);
  expect(sections([], true)).toEqual([]);
});

test("a list that is not in order of verdicts, or has no hits, has no parts", () => {
  expect(sections(hits("weak", "strong"), false)).toEqual([]);
  expect(sections([{}], false)).toEqual([]);
});
