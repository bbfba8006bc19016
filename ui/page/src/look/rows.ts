/**
 * Pictures in rows of one width, each at its own aspect. Libraries for this make an object for each picture, which 100,000 of
 * them are too many for at every change of the window's width; here they take two numbers a row, and some milliseconds in all.
 */
export type Rows = {
  /** The picture that each row begins with, its top and its height in pixels. */
  first: Uint32Array;
  top: Float64Array;
  tall: Float32Array;
  /** The tops of heads, in their order. */
  heads: Float64Array;
  count: number;
  width: number;
  gap: number;
  height: number;
};

/** What rows are made of: ratios are widths divided by heights, in thousandths; heads are the pictures above which one stands. */
export type Plan = {
  ratios: ArrayLike<number>;
  width: number;
  /** The height that rows come close to. */
  target: number;
  gap: number;
  heads?: ArrayLike<number>;
  headHeight?: number;
  /** What stands below each picture, such as its caption, is so high. */
  foot?: number;
};

// Beyond these, a picture is cut: a row would be a line, or a picture one.
const narrowest = 0.4;
const widest = 12;

/** aspect is the width of a picture divided by its height, as it is shown. */
export const aspect = (ratio: number | undefined): number =>
  Math.min(Math.max((ratio ?? 1000) / 1000, narrowest), widest);

/** justify puts pictures into rows. */
export function justify({ ratios, width, target, gap, heads = [], headHeight = 0, foot = 0 }: Plan): Rows {
  const first: number[] = [];
  const top: number[] = [];
  const tall: number[] = [];
  const headTops = new Float64Array(heads.length);
  const count = ratios.length;
  const high = (sum: number, pictures: number) => (width - gap * (pictures - 1)) / sum;
  // A last row that is not full is as high as it would be if pictures like its own filled it: those that come later mostly are, and
  // then what stands stays where it is.
  const filled = (sum: number, pictures: number) => {
    let more = pictures;
    let height = high(sum, pictures);
    let fewer = height;
    while (height > target) {
      more += 1;
      fewer = height;
      height = high((sum / pictures) * more, more);
    }
    return fewer / target < target / height ? fewer : height;
  };
  let y = 0;
  let at = 0;
  for (let head = -1; head < heads.length; head += 1) {
    const end = heads[head + 1] ?? count;
    if (head >= 0) {
      headTops[head] = y;
      y += headHeight;
    }
    while (at < end) {
      let next = at;
      let sum = 0;
      let height = Infinity;
      while (next < end && height > target) {
        sum += aspect(ratios[next]);
        next += 1;
        height = high(sum, next - at);
      }
      const fewer = high(sum - aspect(ratios[next - 1]), next - at - 1);
      // The row with the last one is lower than it should be, without it higher: the nearer counts.
      if (next - at > 1 && height <= target && fewer / target < target / height) {
        next -= 1;
        height = fewer;
      }
      if (height > target && next === end) height = filled(sum, next - at);
      first.push(at);
      top.push(y);
      tall.push(height);
      y += (tall.at(-1) ?? 0) + foot + gap;
      at = next;
    }
  }
  return {
    first: Uint32Array.from(first),
    top: Float64Array.from(top),
    tall: Float32Array.from(tall),
    heads: headTops,
    count,
    width,
    gap,
    height: Math.max(0, y - gap),
  };
}

/** last gives the last of ascending numbers that is not above a value, as its place; -1 where all are. */
export function last(numbers: ArrayLike<number>, value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** rowOf is the row of a picture. */
export const rowOf = (rows: Rows, index: number): number => last(rows.first, index);

/** endOf is the picture after the last one of a row. */
export const endOf = (rows: Rows, row: number): number => rows.first[row + 1] ?? rows.count;

/** between gives the rows that lie between two heights: the first, and the one after the last. */
export function between(rows: Rows, from: number, to: number): [number, number] {
  if (!rows.first.length || to < from) return [0, 0];
  const first = Math.max(0, last(rows.top, from));
  return [first, Math.max(first, last(rows.top, to)) + 1];
}

/** A picture's place, in pixels. */
export type Box = { index: number; left: number; top: number; width: number; height: number };

/** boxes gives the places of a row's pictures. */
export function boxes(rows: Rows, ratios: ArrayLike<number>, row: number): Box[] {
  const height = rows.tall[row] ?? 0;
  const top = rows.top[row] ?? 0;
  const placed: Box[] = [];
  let left = 0;
  for (let index = rows.first[row] ?? 0; index < endOf(rows, row); index += 1) {
    const width = aspect(ratios[index]) * height;
    placed.push({ index, left, top, width, height });
    left += width + rows.gap;
  }
  return placed;
}

/** step is where a key leads from a picture, or undefined for a key that leads nowhere. page is how many rows a page has. */
export function step(
  rows: Rows,
  ratios: ArrayLike<number>,
  key: string,
  index: number,
  page: number,
): number | undefined {
  const final = rows.count - 1;
  const lines: Record<string, number> = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page };
  const singles: Record<string, number> = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: final };
  const single = singles[key];
  if (single !== undefined) return Math.min(Math.max(single, 0), final);
  const by = lines[key];
  if (by === undefined) return undefined;
  const row = rowOf(rows, index);
  const target = Math.min(Math.max(row + by, 0), rows.first.length - 1);
  if (target === row) return by < 0 ? 0 : final;
  const from = boxes(rows, ratios, row)[index - (rows.first[row] ?? 0)];
  if (!from) return undefined;
  const middle = from.left + from.width / 2;
  const far = (box: Box) => Math.abs(box.left + box.width / 2 - middle);
  return boxes(rows, ratios, target).reduce((best, box) => (far(box) < far(best) ? box : best)).index;
}
