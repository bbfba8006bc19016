import { expect, test } from "vitest";
import { presets, spanOf } from "./dates.ts";

test("a year, a month and a day are ranges", () => {
  expect(spanOf("2024")).toEqual({ after: "2024-01-01", before: "2025-01-01" });
  expect(spanOf("2024-12")).toEqual({ after: "2024-12-01", before: "2025-01-01" });
  expect(spanOf("2024-02")).toEqual({ after: "2024-02-01", before: "2024-03-01" });
  expect(spanOf("2024-02-29")).toEqual({ after: "2024-02-29", before: "2024-03-01" });
  expect(spanOf("0099-12-31")).toEqual({ after: "0099-12-31", before: "0100-01-01" });
});

test("presets are counted from today", () => {
  const { last30, thisYear, lastYear } = presets(new Date(2026, 0, 15));
  expect(last30).toEqual({ after: "2025-12-16", before: "" });
  expect(thisYear).toEqual({ after: "2026-01-01", before: "2027-01-01" });
  expect(lastYear).toEqual({ after: "2025-01-01", before: "2026-01-01" });
});
