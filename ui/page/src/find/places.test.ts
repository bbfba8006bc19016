import { expect, it } from "vitest";
import { keepPlaces, type Item } from "./results.svelte.ts";

const items = (...ids: string[]): Item[] => ids.map((id) => ({ id, label: id, ratio: 1000, day: null }));

it("keeps the places of what is shown, and puts what comes behind it", () => {
  const kept = keepPlaces(items("b", "a", "gone"), items("a", "b", "c"));
  expect(kept.map(({ id }) => id)).toEqual(["b", "a", "c"]);
  expect(keepPlaces([], items("a", "b")).map(({ id }) => id)).toEqual(["a", "b"]);
});
