import { expect, test } from "vitest";
import { dragged, gripAt } from "./regionarea.ts";

const area = { x: 0.25, y: 0.25, width: 0.5, height: 0.5 };
const reach = { x: 0.03, y: 0.03 };

test("an area is moved from within, and stays in the picture", () => {
  const grip = gripAt(area, { x: 0.5, y: 0.5 }, reach);
  expect(dragged(grip, { x: 0.625, y: 0.375 })).toEqual({ x: 0.375, y: 0.125, width: 0.5, height: 0.5 });
  expect(dragged(grip, { x: 1, y: 1 })).toEqual({ x: 0.5, y: 0.5, width: 0.5, height: 0.5 });
});

test("a corner resizes it, and elsewhere a new one begins", () => {
  const corner = gripAt(area, { x: 0.74, y: 0.76 }, reach);
  expect(dragged(corner, { x: 0.5, y: 0.5 })).toEqual({ x: 0.25, y: 0.25, width: 0.25, height: 0.25 });
  expect(dragged(gripAt(area, { x: 0.25, y: 0.25 }, reach), { x: 0.5, y: 0 })).toEqual({
    x: 0.5,
    y: 0,
    width: 0.25,
    height: 0.75,
  });
  expect(dragged(gripAt(area, { x: 0, y: 0 }, reach), { x: 0.5, y: 0.25 })).toEqual({
    x: 0,
    y: 0,
    width: 0.5,
    height: 0.25,
  });
});
