import { describe, expect, it } from "vitest";
import { fragmentPieces } from "./fragments.ts";
import { layout, range, step } from "./gridlayout.ts";
import { between, moved } from "./regionarea.ts";

describe("the grid", () => {
  it("fills the width", () => {
    const plan = layout(1228, 100);
    expect(plan.columns).toBe(6);
    expect(plan.side * 6 + 12 * 5).toBeCloseTo(1228);
    expect(layout(300, 100).columns).toBe(2);
  });

  it("shows whole rows between two edges", () => {
    const plan = { columns: 4, side: 88, pitch: 100, height: 0 };
    expect(range(plan, 1000, -600, 250)).toEqual([0, 12]);
    expect(range(plan, 1000, 420, 650)).toEqual([16, 28]);
    expect(range(plan, 6, 5000, 6000)).toEqual([6, 6]);
  });

  it("is walked by keys", () => {
    expect(step("ArrowDown", 5, 4, 8)).toBe(7);
    expect(step("ArrowLeft", 0, 4, 8)).toBe(0);
    expect(step("End", 1, 4, 8)).toBe(7);
    expect(step("a", 1, 4, 8)).toBeUndefined();
  });
});

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
