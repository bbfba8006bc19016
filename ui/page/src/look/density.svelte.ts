export const densities = ["medium", "small", "large"] as const;
export type Density = (typeof densities)[number];

const storedAs = "mekiki-density";
const narrow = 600;
const line = 18; // pixels, of a caption
const vast = 1800; // a window in which pictures are larger
const few = 8; // so many pictures or fewer are shown large
const heights: Record<Density, { wide: number; narrow: number }> = {
  small: { wide: 120, narrow: 84 },
  medium: { wide: 200, narrow: 130 },
  large: { wide: 320, narrow: 230 },
};

const isDensity = (name: string | null): name is Density => densities.some((each) => each === name);

/** How large the pictures of a list are, as its reader likes it. */
class Sizing {
  #value = $state<Density>(read());

  get value(): Density {
    return this.#value;
  }

  choose(value: string): void {
    this.#value = isDensity(value) ? value : densities[0];
    localStorage.setItem(storedAs, this.#value);
  }

  /** foot is how high the lines below each picture are: two below a hit, one below others, and none where those are small. */
  foot(hits: boolean): number {
    if (hits) return 2 * line + 4;
    return this.#value === "small" ? 0 : line + 4;
  }

  /** height is what the rows of so many pictures come close to. */
  height(width: number, count: number): number {
    const height = heights[this.#value][width < narrow ? "narrow" : "wide"];
    if (count <= few && width >= narrow) return Math.max(height, Math.min(width / 5, 420));
    return width > vast ? (height * width) / vast : height;
  }
}

function read(): Density {
  const stored = localStorage.getItem(storedAs);
  return isDensity(stored) ? stored : densities[0];
}

export const sizing = new Sizing();
