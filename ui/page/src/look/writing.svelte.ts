import type { Hit } from "../api";

/** The words in the open picture: whether their boxes are drawn over it, and which line is pointed at. */
export class Writing {
  drawn = $state(false);
  /** The number of the line that is pointed at; -1 for none. */
  pointed = $state(-1);
}

/** foundIn lists the lines of words in a picture that a search has found. */
export const foundIn = (hit: Hit | undefined): string[] =>
  (hit?.highlights ?? []).filter(({ field }) => field === "ocr").map(({ text }) => text);
