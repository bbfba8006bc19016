import { expect, it } from "vitest";
import { asks, having, without } from "./asked.ts";

it("puts questions into a query and takes them out again", () => {
  const asked = having("cats", "how many?");
  expect(asked).toBe('cats ask:"how many?"');
  expect(having(asked, "how many?", "two")).toBe('cats ask:"how many?"="two"');
  expect(without('cats ask:"how many?"="two" ask:"asleep?"!=no', "how many?")).toBe('cats ask:"asleep?"!=no');
  expect(without('cats ask:"asleep?"=yes', "asleep?")).toBe("cats");
  expect([asks("cats"), asks(asked)]).toEqual([false, true]);
});
