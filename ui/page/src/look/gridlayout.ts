/** Where tiles lie, in pixels. */
export type Layout = { columns: number; side: number; pitch: number; height: number };

export const gap = 12;
const minimumTile = 176;
const few = 8; // so many pictures or fewer are shown larger
const largeTile = 260;
const wide = 600;

/** layout divides a width among so many tiles. */
export function layout(width: number, count: number): Layout {
  const tile = count <= few && width > wide ? largeTile : minimumTile;
  const columns = Math.max(2, Math.floor((width + gap) / (tile + gap)));
  const side = (width - gap * (columns - 1)) / columns;
  const pitch = side + gap;
  return { columns, side, pitch, height: Math.max(0, Math.ceil(count / columns) * pitch - gap) };
}

/**
 * range gives the tiles between two edges, from the grid's top: the first and the one after the last. They are whole rows.
 */
export function range({ columns, pitch }: Layout, count: number, from: number, to: number): [number, number] {
  const first = Math.max(0, Math.floor(from / pitch)) * columns;
  const last = Math.min(count, (Math.floor(to / pitch) + 1) * columns);
  return [Math.min(first, count), Math.max(0, last)];
}

/** The step that a key takes from a tile to another, or undefined. */
export function step(key: string, index: number, columns: number, count: number): number | undefined {
  const steps: Record<string, number> = {
    ArrowLeft: -1,
    ArrowRight: 1,
    ArrowUp: -columns,
    ArrowDown: columns,
    Home: -index,
    End: count - 1 - index,
  };
  const by = steps[key];
  return by === undefined ? undefined : Math.min(Math.max(index + by, 0), count - 1);
}
