import { describe, expect, it } from "vitest";
import { levelFor, tilesIn } from "./tiles.ts";
import { fitted, inside, most, seen, whole, zoomed } from "./zoom.ts";

const stage = { width: 1000, height: 800 };
const picture = { width: 4000, height: 2000 };
const fit = fitted(stage, picture);

describe("zoom", () => {
  it("begins with all of the picture", () => {
    expect(fit).toEqual({ width: 1000, height: 500 });
    expect(fitted(stage, { width: 50, height: 100 })).toEqual({ width: 400, height: 800 });
    expect(fitted(stage, { width: 16, height: 16 })).toEqual({ width: 128, height: 128 });
    expect(seen(whole, stage, fit)).toEqual({ left: 0, top: 0, right: 1, bottom: 1 });
  });

  it("keeps the point under the hand", () => {
    const point = { x: 200, y: -100 };
    const view = zoomed(whole, 3, point, most(fit, picture));
    expect(view.scale).toBe(3);
    // What was 200 right of the middle of the picture is now 600 right of it.
    expect(view.x + 600).toBe(200);
    expect(view.y - 300).toBe(-100);
    expect(zoomed(view, 1000, point, 16).scale).toBe(16);
  });

  it("keeps the stage full", () => {
    expect(inside({ scale: 2, x: 9999, y: 9999 }, stage, fit, 16)).toEqual({ scale: 2, x: 500, y: 100 });
    expect(inside({ scale: 0.2, x: 50, y: 50 }, stage, fit, 16)).toEqual(whole);
    expect(inside({ scale: 1.2, x: 0, y: 50 }, stage, fit, 16).y).toBe(0);
  });
});

describe("tiles", () => {
  const tiles = {
    width: 4000,
    height: 2000,
    tile: 512,
    levels: [
      { level: 0, width: 4000, height: 2000, columns: 8, rows: 4 },
      { level: 1, width: 2000, height: 1000, columns: 4, rows: 2 },
      { level: 2, width: 1000, height: 500, columns: 2, rows: 1 },
      { level: 3, width: 500, height: 250, columns: 1, rows: 1 },
    ],
  };

  it("are of the coarsest level that is fine enough", () => {
    expect(levelFor(tiles, 300)?.level).toBe(3);
    expect(levelFor(tiles, 1001)?.level).toBe(1);
    expect(levelFor(tiles, 99_999)?.level).toBe(0);
    expect(levelFor({ ...tiles, levels: [] }, 1)).toBeUndefined();
  });

  it("cover the part that is seen", () => {
    const [finest] = tiles.levels;
    if (!finest) throw new Error("there is no level");
    const part = tilesIn(finest, 512, { left: 0.5, top: 0.25, right: 0.6, bottom: 0.3 });
    expect(part.map((each) => each.key)).toEqual(["0/3/0", "0/4/0", "0/3/1", "0/4/1"]);
    const all = tilesIn(finest, 512, { left: 0, top: 0, right: 1, bottom: 1 });
    expect(all).toHaveLength(32);
    const corner = all.at(-1);
    expect((corner?.left ?? 0) + (corner?.width ?? 0)).toBeCloseTo(1);
    expect((corner?.top ?? 0) + (corner?.height ?? 0)).toBeCloseTo(1);
  });
});
