/** How long a time one head stands for. */
export type Span = "day" | "month" | "year";

/** Parts of a list that is in order of date: the picture that each begins with. */
export type Parts = { span: Span; at: number[] };

const fewest = 12; // pictures that a head should stand above, on average
const day = 24 * 60 * 60 * 1000;

/** dateOf is a day, counted from 1970-01-01, as a date. */
export const dateOf = (number: number): Date => new Date(number * day);

const numberOf: Record<Span, (day: number) => number> = {
  day: (number) => number,
  month: (number) => dateOf(number).getUTCFullYear() * 12 + dateOf(number).getUTCMonth(),
  year: (number) => dateOf(number).getUTCFullYear(),
};

/** starts gives the pictures with which another span of time begins. Those without a date are one part. */
export function starts(days: ArrayLike<number | null>, span: Span): number[] {
  const at: number[] = [];
  let before: number | null | undefined;
  let part: number | null | undefined;
  for (let index = 0; index < days.length; index += 1) {
    const now = days[index] ?? null;
    if (index > 0 && now === before) continue;
    before = now;
    const next = now === null ? null : numberOf[span](now);
    if (next !== part) at.push(index);
    part = next;
  }
  return at;
}

/** parted divides a list by days where there are many pictures a day, else by months or years. */
export function parted(days: ArrayLike<number | null>): Parts {
  for (const span of ["day", "month"] as const) {
    const at = starts(days, span);
    if (days.length / at.length >= fewest) return { span, at };
  }
  return { span: "year", at: starts(days, "year") };
}
