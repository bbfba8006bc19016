import type { Area } from "../address";

const smallest = 0.02; // of a side
const keyStep = 0.02;

export const whole: Area = { x: 0.2, y: 0.2, width: 0.6, height: 0.6 };

export const clamp = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), Math.max(low, high));

/** inside keeps an area within the picture, and of some size. */
export function inside(area: Area): Area {
  const width = clamp(area.width, smallest, 1);
  const height = clamp(area.height, smallest, 1);
  return { x: clamp(area.x, 0, 1 - width), y: clamp(area.y, 0, 1 - height), width, height };
}

type Point = { x: number; y: number };

/** between is the area with two points as opposite corners. */
export const between = (a: Point, b: Point): Area =>
  inside({ x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), width: Math.abs(b.x - a.x), height: Math.abs(b.y - a.y) });

/** moved is an area after an arrow key: moved, or with shift resized. Undefined for other keys. */
export function moved(area: Area, key: string, shift: boolean): Area | undefined {
  const by = { ArrowLeft: [-keyStep, 0], ArrowRight: [keyStep, 0], ArrowUp: [0, -keyStep], ArrowDown: [0, keyStep] }[
    key
  ];
  const [x = 0, y = 0] = by ?? [];
  if (!by) return undefined;
  return inside(
    shift ? { ...area, width: area.width + x, height: area.height + y } : { ...area, x: area.x + x, y: area.y + y },
  );
}

/** What a pointer has hold of: the area itself, or the corner that lies opposite to a fixed one. */
export type Grip = { kind: "area"; from: Point; area: Area } | { kind: "corner"; opposite: Point };

/**
 * gripAt says what a pointer takes hold of: a corner within reach, in fractions of the picture's sides, or the area around it. Elsewhere
 * it begins a new area, of which its place is a corner.
 */
export function gripAt(area: Area, at: Point, reach: Point): Grip {
  const right = area.x + area.width;
  const bottom = area.y + area.height;
  for (const [x, opposite] of [
    [area.x, right],
    [right, area.x],
  ] as const) {
    for (const [y, far] of [
      [area.y, bottom],
      [bottom, area.y],
    ] as const) {
      if (Math.abs(at.x - x) <= reach.x && Math.abs(at.y - y) <= reach.y)
        return { kind: "corner", opposite: { x: opposite, y: far } };
    }
  }
  const within = at.x > area.x && at.x < right && at.y > area.y && at.y < bottom;
  return within ? { kind: "area", from: at, area } : { kind: "corner", opposite: at };
}

/** dragged is the area once a pointer with a grip is elsewhere. */
export const dragged = (grip: Grip, to: Point): Area =>
  grip.kind === "corner"
    ? between(grip.opposite, to)
    : inside({ ...grip.area, x: grip.area.x + to.x - grip.from.x, y: grip.area.y + to.y - grip.from.y });
