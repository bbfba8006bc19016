import { afterEach, beforeEach, expect, it } from "vitest";
import { keepFocus } from "./keepfocus.ts";

const later = () => new Promise((resolve) => setTimeout(resolve));
const named = (id: string, tag = "button") => Object.assign(document.createElement(tag), { id });
let stop: () => void;

beforeEach(() => {
  const main = named("main", "main");
  const group = named("group", "div");
  group.append(named("one"), named("two"));
  main.append(group);
  document.body.replaceChildren(main, named("other"));
  stop = keepFocus(document.body);
});
afterEach(() => stop());

it("gives the focus to the main part when its element goes", async () => {
  document.getElementById("one")?.focus();
  document.getElementById("one")?.remove();
  await later();
  expect(document.activeElement?.id).toBe("main");
});

it("gives it to what is around that can have it", async () => {
  const group = document.getElementById("group");
  if (group) group.tabIndex = -1;
  document.getElementById("one")?.focus();
  document.getElementById("one")?.remove();
  await later();
  expect(document.activeElement?.id).toBe("group");
});

it("leaves it alone where somebody has moved it, or another element goes", async () => {
  document.getElementById("one")?.focus();
  document.getElementById("two")?.remove();
  await later();
  expect(document.activeElement?.id).toBe("one");
  document.getElementById("other")?.focus();
  document.getElementById("one")?.remove();
  await later();
  expect(document.activeElement?.id).toBe("other");
});
