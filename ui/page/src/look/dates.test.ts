import { describe, expect, it } from "vitest";
import { dateOf, parted, starts } from "./dates.ts";

describe("parts by date", () => {
  it("begin where another day, month or year does", () => {
    const days = [19_782, 19_782, 19_781, 19_700, 19_300, null, null];
    expect(starts(days, "day")).toEqual([0, 2, 3, 4, 5]);
    expect(starts(days, "month")).toEqual([0, 3, 4, 5]);
    expect(starts(days, "year")).toEqual([0, 3, 4, 5]);
    expect(dateOf(19_782).toISOString().slice(0, 10)).toBe("2024-02-29");
    expect(dateOf(-1).toISOString().slice(0, 10)).toBe("1969-12-31");
  });

  it("are as long as there are pictures for", () => {
    const every = (days: number) => Array.from({ length: 400 }, (_, at) => 19_000 - Math.floor(at * days));
    expect(parted(every(1 / 40)).span).toBe("day");
    expect(parted(every(1)).span).toBe("month");
    expect(parted(every(20)).span).toBe("year");
    expect(parted([])).toEqual({ span: "year", at: [] });
  });
});
