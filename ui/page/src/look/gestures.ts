import type { Point } from "./zoom.ts";

/** What hands do to a picture. Points are measured from the middle of the stage. */
export type Hands = {
  onZoom: (factor: number, about: Point) => void;
  onDrag: (by: Point) => void;
  /** A double click or double tap. */
  onDouble: (at: Point) => void;
  /** A quick stroke of one finger: by how many pictures to go on. */
  onSwipe: (by: -1 | 1) => void;
  /** Whether the picture is larger than the stage, so that a finger moves it rather than going on. */
  zoomed: () => boolean;
};

const wheelSpeed = 0.0016;
const pinchSpeed = 0.012; // of touchpads, which tell of it as a wheel with Ctrl
const lineHeight = 16;
const stroke = 48; // pixels that make a swipe
const tapTime = 300; // milliseconds between two taps
const tapRoom = 24;

/**
 * gestures makes a stage take wheel, pinch, drag, double click and swipe. PhotoSwipe (16 kB) and OpenSeadragon (87 kB, both
 * compressed) do this too, but each brings a dialog, a focus and a history of its own: PhotoSwipe knows no tiles, OpenSeadragon
 * draws on a canvas, without words for who does not see and without a place for the map and the frame that lie over the picture.
 */
export function gestures(stage: HTMLElement, hands: Hands): () => void {
  const fingers = new Map<number, Point>();
  let began: Point | null = null; // of a single finger, until a second one comes
  let tapped = { time: 0, x: 0, y: 0 };
  let doubled = -Infinity; // when two taps were one double tap: some browsers tell of a double click then too

  const pointOf = (event: MouseEvent): Point => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left - box.width / 2, y: event.clientY - box.top - box.height / 2 };
  };
  const onControl = (event: Event) => (event.target as Element).closest("button, a, input, [role=slider]") !== null;
  const apart = ([a, b]: Point[]) => (a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0);
  const middle = ([a, b]: Point[]) => (a && b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : { x: 0, y: 0 });

  const wheel = (event: WheelEvent) => {
    event.preventDefault();
    const by = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? lineHeight : 1);
    hands.onZoom(Math.exp(-by * (event.ctrlKey ? pinchSpeed : wheelSpeed)), pointOf(event));
  };
  const down = (event: PointerEvent) => {
    if (onControl(event) || event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, pointOf(event));
    began = fingers.size === 1 ? pointOf(event) : null;
  };
  const move = (event: PointerEvent) => {
    const before = [...fingers.values()];
    const from = fingers.get(event.pointerId);
    if (!from) return;
    const to = pointOf(event);
    fingers.set(event.pointerId, to);
    if (before.length === 1) {
      if (hands.zoomed()) hands.onDrag({ x: to.x - from.x, y: to.y - from.y });
      return;
    }
    const after = [...fingers.values()];
    const [old, now] = [middle(before), middle(after)];
    hands.onDrag({ x: now.x - old.x, y: now.y - old.y });
    if (apart(before)) hands.onZoom(apart(after) / apart(before), now);
  };
  const up = (event: PointerEvent) => {
    if (!fingers.delete(event.pointerId) || !began || fingers.size || event.type === "pointercancel") return;
    const at = pointOf(event);
    const [x, y] = [at.x - began.x, at.y - began.y];
    began = null;
    if (event.pointerType === "mouse") return;
    if (Math.abs(x) > stroke && Math.abs(x) > 2 * Math.abs(y) && !hands.zoomed()) hands.onSwipe(x < 0 ? 1 : -1);
    const still = Math.hypot(x, y) < tapRoom;
    const again = event.timeStamp - tapped.time < tapTime && Math.hypot(at.x - tapped.x, at.y - tapped.y) < tapRoom;
    if (still && again) {
      doubled = event.timeStamp;
      hands.onDouble(at);
    }
    tapped = { time: still && !again ? event.timeStamp : 0, ...at };
  };
  const double = (event: MouseEvent) => {
    if (!onControl(event) && event.timeStamp - doubled > tapTime) hands.onDouble(pointOf(event));
  };
  const fixed = (event: Event) => event.preventDefault(); // pictures would be dragged away

  const controller = new AbortController();
  const { signal } = controller;
  stage.addEventListener("wheel", wheel, { passive: false, signal });
  stage.addEventListener("pointerdown", down, { signal });
  stage.addEventListener("pointermove", move, { signal });
  stage.addEventListener("pointerup", up, { signal });
  stage.addEventListener("pointercancel", up, { signal });
  stage.addEventListener("dblclick", double, { signal });
  stage.addEventListener("dragstart", fixed, { signal });
  return () => controller.abort();
}
