import type { TileLevel, Tiles } from "../api";

/** A tile and its place, in shares of the picture's sides. */
export type Tile = {
  key: string;
  level: number;
  x: number;
  y: number;
  left: number;
  top: number;
  width: number;
  height: number;
};

/** levelFor is the coarsest level with at least so many pixels in a row, or the finest. */
export function levelFor(tiles: Tiles, pixels: number): TileLevel | undefined {
  return tiles.levels.findLast((level) => level.width >= pixels) ?? tiles.levels[0];
}

/** tilesIn are the tiles of a level that a part of the picture needs. */
export function tilesIn(
  level: TileLevel,
  side: number,
  part: { left: number; top: number; right: number; bottom: number },
): Tile[] {
  const found: Tile[] = [];
  const [firstX, firstY] = [Math.floor((part.left * level.width) / side), Math.floor((part.top * level.height) / side)];
  const lastX = Math.min(level.columns - 1, Math.floor((part.right * level.width) / side));
  const lastY = Math.min(level.rows - 1, Math.floor((part.bottom * level.height) / side));
  for (let y = firstY; y <= lastY; y += 1) {
    for (let x = firstX; x <= lastX; x += 1) {
      const [left, top] = [(x * side) / level.width, (y * side) / level.height];
      const width = Math.min(side / level.width, 1 - left);
      const height = Math.min(side / level.height, 1 - top);
      found.push({ key: `${level.level}/${x}/${y}`, level: level.level, x, y, left, top, width, height });
    }
  }
  return found;
}
