import { describe, expect, it } from "vitest";
import type { LibraryRecord } from "../api";
import { changeOf, dateOf, namesOf, shared } from "./details.ts";

const record = (more: Partial<LibraryRecord>): LibraryRecord => ({
  id: "1",
  kind: "image",
  added: "2024-01-01T00:00:00Z",
  paths: [],
  tags: [],
  captions: [],
  ...more,
});

describe("the form of details", () => {
  it("shows what there is", () => {
    expect(dateOf(record({ metadata: { taken: "2020-05-01T12:30:00Z" } as never }))).toBe("2020-05-01T12:30:00");
    expect(dateOf(record({ given: { date: "1984-07-14T00:00:00Z" } as never }))).toBe("1984-07-14");
    expect(dateOf(record({}))).toBe("");
    expect(shared([record({ title: "A" }), record({ title: "A" })]).title).toEqual({ value: "A", differs: false });
    expect(shared([record({ title: "A" }), record({})]).title).toEqual({ value: "", differs: true });
  });

  it("changes only what was changed", () => {
    const was = { title: "A", date: "1984", description: "By the lake", people: "Ada, Bo" };
    expect(changeOf(was, was)).toEqual({});
    expect(changeOf(was, { ...was, title: " B " })).toEqual({ title: "B" });
    expect(changeOf(was, { ...was, title: "", date: "1985" })).toEqual({ date: "1985", clear: ["title"] });
    expect(changeOf(was, { ...was, description: "By the sea\n" })).toEqual({ description: "By the sea" });
    expect(changeOf(was, { ...was, people: "Bo,  Zoë, Bo" })).toEqual({ add_people: ["Zoë"], remove_people: ["Ada"] });
  });

  it("changes the people that people gave, and not the file's", () => {
    const both = record({ people: ["Ada", "Bo"], given: { people: ["Bo"] } as never });
    expect(shared([both]).people).toEqual({ value: "Bo", differs: false });
    expect(namesOf("Ada;Bo、 Zoë,")).toEqual(["Ada", "Bo", "Zoë"]);
  });
});
