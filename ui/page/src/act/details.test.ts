import { describe, expect, it } from "vitest";
import type { LibraryRecord } from "../api";
import { changeOf, dateOf, shared } from "./details.ts";

const record = (more: Partial<LibraryRecord>): LibraryRecord => ({
  id: "1",
  kind: "image",
  added: "2024-01-01T00:00:00Z",
  paths: [],
  tags: [],
  captions: [],
  ...more,
});

describe("the form of title and date", () => {
  it("shows what there is", () => {
    expect(dateOf(record({ metadata: { taken: "2020-05-01T12:30:00Z" } as never }))).toBe("2020-05-01T12:30:00");
    expect(dateOf(record({ given: { date: "1984-07-14T00:00:00Z" } as never }))).toBe("1984-07-14");
    expect(dateOf(record({}))).toBe("");
    expect(shared([record({ title: "A" }), record({ title: "A" })]).title).toEqual({ value: "A", differs: false });
    expect(shared([record({ title: "A" }), record({})]).title).toEqual({ value: "", differs: true });
  });

  it("changes only what was changed", () => {
    const was = { title: "A", date: "1984" };
    expect(changeOf(was, was)).toEqual({});
    expect(changeOf(was, { title: " B ", date: "1984" })).toEqual({ title: "B" });
    expect(changeOf(was, { title: "", date: "1985" })).toEqual({ date: "1985", clear: ["title"] });
  });
});
