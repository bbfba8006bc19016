// How likely a hit is, in words: what a picture shows has a probability, what is like a picture a similarity, and what only passes
// the filters neither.
import type { Hit } from "../api";
import type { Words } from "../words";
import type { Format } from "../words/format.ts";

type Judged = Pick<Hit, "verdict" | "probability" | "basis">;

/** judged says it in full. */
export function judged(t: Words, { verdict, probability, basis }: Judged): string {
  if (basis === "filter") return "";
  return basis === "similarity" ? t.likeness(verdict, probability) : t.verdict(verdict, probability);
}

/** shareOf is the number alone, as it stands below a picture. */
export function shareOf(t: Words, f: Format, { probability, basis }: Judged): string {
  if (basis === "filter") return "";
  return basis === "similarity" ? t.similarity(probability) : f.percent(probability);
}
