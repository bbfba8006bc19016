import { describe, expect, it } from "vitest";
import { between, boxes, endOf, justify, rowOf, step } from "./rows.ts";

const mixed = Array.from({ length: 500 }, (_, at) => [1500, 667, 1000, 6667, 1333, 120, 90_000][(at * 5) % 7] ?? 1000);
const plan = { ratios: mixed, width: 1200, target: 200, gap: 8 };

describe("rows of pictures", () => {
  const rows = justify({ ...plan, heads: [0, 3, 200], headHeight: 40 });

  it("have every picture once, in order", () => {
    let next = 0;
    for (let row = 0; row < rows.first.length; row += 1) {
      expect(rows.first[row]).toBe(next);
      next = endOf(rows, row);
      expect(next).toBeGreaterThan(rows.first[row] ?? 0);
    }
    expect(next).toBe(500);
  });

  it("fill the width, unless a part ends", () => {
    const ends = [3, 200, 500];
    for (let row = 0; row < rows.first.length; row += 1) {
      const placed = boxes(rows, mixed, row);
      const final = placed.at(-1);
      const filled = (final?.left ?? 0) + (final?.width ?? 0);
      expect(filled).toBeLessThanOrEqual(1201);
      if (!ends.includes(endOf(rows, row))) expect(filled).toBeCloseTo(1200, 0);
    }
  });

  it("lie below each other, heads between them", () => {
    expect([...rows.heads]).toEqual([0, expect.any(Number), expect.any(Number)]);
    for (const [at, picture] of [0, 3, 200].entries()) {
      const row = rowOf(rows, picture);
      expect(rows.first[row]).toBe(picture);
      expect(rows.top[row]).toBeCloseTo((rows.heads[at] ?? 0) + 40);
    }
    for (let row = 1; row < rows.first.length; row += 1) {
      expect(rows.top[row]).toBeGreaterThanOrEqual((rows.top[row - 1] ?? 0) + (rows.tall[row - 1] ?? 0) + 7.9);
    }
  });

  it("come close to the height that is wanted", () => {
    const usual = justify({ ...plan, ratios: Array.from({ length: 300 }, (_, at) => [1500, 667, 1333][at % 3] ?? 0) });
    for (const height of usual.tall) expect(Math.abs(Math.log(height / 200))).toBeLessThan(0.35);
  });

  it("stay where they are when more pictures like theirs come", () => {
    for (const width of [320, 500, 777, 1236, 1900]) {
      const of = (count: number) => justify({ ...plan, width, ratios: new Array<number>(count).fill(1333) });
      const whole = of(60);
      for (let count = 1; count < 30; count += 1) {
        const placed = boxes(of(count), new Array<number>(count).fill(1333), of(count).first.length - 1);
        const later = boxes(whole, new Array<number>(60).fill(1333), of(count).first.length - 1);
        expect(placed).toEqual(later.slice(0, placed.length));
      }
    }
  });

  it("are found by height", () => {
    const [first, end] = between(rows, 1000, 1500);
    expect(rows.top[first]).toBeLessThanOrEqual(1000);
    expect(rows.top[end] ?? Infinity).toBeGreaterThan(1500);
    expect(between(rows, -900, -200)).toEqual([0, 1]);
    expect(between(justify({ ...plan, ratios: [] }), 0, 100)).toEqual([0, 0]);
  });

  it("take 100,000 pictures at once", () => {
    const many = justify({ ...plan, ratios: new Array<number>(100_000).fill(1500) });
    expect(many.count).toBe(100_000);
    expect(many.first.length).toBe(25_000);
  });
});

describe("keys", () => {
  const ratios = new Array<number>(20).fill(1500);
  const rows = justify({ ...plan, ratios }); // four in a row

  it("lead to the picture beside, above and below", () => {
    const to = (key: string, from: number) => step(rows, ratios, key, from, 3);
    expect(to("ArrowRight", 5)).toBe(6);
    expect(to("ArrowLeft", 0)).toBe(0);
    expect(to("ArrowDown", 5)).toBe(9);
    expect(to("ArrowUp", 5)).toBe(1);
    expect(to("ArrowUp", 1)).toBe(0);
    expect(to("ArrowDown", 17)).toBe(19);
    expect(to("PageDown", 1)).toBe(13);
    expect(to("End", 1)).toBe(19);
    expect(to("a", 1)).toBeUndefined();
  });
});
