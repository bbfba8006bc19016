import { describe, expect, it } from "vitest";
import { fragmentPieces } from "./fragments.ts";
import { between, moved } from "./regionarea.ts";

it("shows excerpts as plain text with the words that fit", () => {
  expect(fragmentPieces("a <mark>dog&#39;s</mark> dinner &lt;b&gt; &amp; more")).toEqual([
    { text: "a ", marked: false },
    { text: "dog's", marked: true },
    { text: " dinner <b> & more", marked: false },
  ]);
});

describe("a region", () => {
  it("lies between two points, inside the picture", () => {
    const area = between({ x: 0.9, y: 0.5 }, { x: 0.1, y: 0.5 });
    expect(area.x).toBeCloseTo(0.1);
    expect(area.width).toBeCloseTo(0.8);
    expect(area.height).toBe(0.02);
  });

  it("is moved and resized by arrow keys", () => {
    const area = { x: 0, y: 0.5, width: 0.5, height: 0.5 };
    expect(moved(area, "ArrowLeft", false)).toEqual(area);
    expect(moved(area, "ArrowRight", true)?.width).toBeCloseTo(0.52);
    expect(moved(area, "Enter", false)).toBeUndefined();
  });
});
