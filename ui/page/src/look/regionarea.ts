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
