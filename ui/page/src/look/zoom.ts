/** Sizes and places are in CSS pixels. */
export type Size = { width: number; height: number };
export type Point = { x: number; y: number };

/** How a picture is seen: how much larger than when all of it is seen, and how far its middle is from that of the stage. */
export type View = { scale: number } & Point;

export const whole: View = { scale: 1, x: 0, y: 0 };

const enlarged = 4; // CSS pixels that one of the picture may be wide
const least = 2; // how far one can zoom into any picture
const blurred = 8; // beyond which a very small picture is not enlarged

/** fitted is the size of a picture when all of it is seen: it fills the stage. */
export function fitted(stage: Size, picture: Size): Size {
  if (!picture.width || !picture.height || !stage.width) return { width: 0, height: 0 };
  const full = Math.min(stage.width / picture.width, stage.height / picture.height);
  const scale = Math.min(full, blurred);
  return { width: picture.width * scale, height: picture.height * scale };
}

/** most is how far one can zoom in. */
export const most = (fit: Size, picture: Size): number =>
  fit.width ? Math.max(least, (enlarged * picture.width) / fit.width) : 1;

/** inside keeps a view between all of the picture and its pixels, and the stage full where the picture is larger. */
export function inside(view: View, stage: Size, fit: Size, limit: number): View {
  const scale = Math.min(Math.max(view.scale, 1), limit);
  const room = { x: (fit.width * scale - stage.width) / 2, y: (fit.height * scale - stage.height) / 2 };
  const within = (value: number, room: number) => (room <= 0 ? 0 : Math.min(Math.max(value, -room), room));
  return { scale, x: within(view.x, room.x), y: within(view.y, room.y) };
}

/** zoomed makes a view larger by a factor about a point, measured from the middle of the stage, which stays where it is. */
export function zoomed(view: View, factor: number, about: Point, limit: number): View {
  const scale = Math.min(Math.max(view.scale * factor, 1), limit);
  const by = scale / view.scale;
  return { scale, x: about.x - (about.x - view.x) * by, y: about.y - (about.y - view.y) * by };
}

/** seen is the part of the picture on the stage, in shares of its sides. */
export function seen(view: View, stage: Size, fit: Size): { left: number; top: number; right: number; bottom: number } {
  const [width, height] = [fit.width * view.scale, fit.height * view.scale];
  const share = (value: number) => Math.min(Math.max(value, 0), 1);
  const left = (width - stage.width) / 2 - view.x;
  const top = (height - stage.height) / 2 - view.y;
  return {
    left: share(left / width),
    top: share(top / height),
    right: share((left + stage.width) / width),
    bottom: share((top + stage.height) / height),
  };
}
