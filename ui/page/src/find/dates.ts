/** A range of dates, as the filters take it: from the first day on, before the second. */
export type Span = { after: string; before: string };

const two = (value: number) => String(value).padStart(2, "0");

/** spanOf is the year (2024), month (2024-05) or day (2024-05-31) of a value. */
export function spanOf(value: string): Span {
  const [year = 0, month, day] = value.split("-").map(Number);
  const end =
    month === undefined
      ? [year + 1, 1, 1]
      : day === undefined
        ? month === 12
          ? [year + 1, 1, 1]
          : [year, month + 1, 1]
        : next(year, month, day);
  const [endYear = 0, endMonth = 1, endDay = 1] = end;
  return {
    after: `${four(year)}-${two(month ?? 1)}-${two(day ?? 1)}`,
    before: `${four(endYear)}-${two(endMonth)}-${two(endDay)}`,
  };
}

const four = (year: number) => String(year).padStart(4, "0");

function next(year: number, month: number, day: number): [number, number, number] {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day + 1);
  return [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
}

/** presets are ranges that people ask for, from a day on: the last thirty days, this year, and the one before. */
export function presets(today: Date): { last30: Span; thisYear: Span; lastYear: Span } {
  const year = today.getFullYear();
  const from = new Date(today);
  from.setDate(from.getDate() - 30);
  const after = `${four(from.getFullYear())}-${two(from.getMonth() + 1)}-${two(from.getDate())}`;
  return { last30: { after, before: "" }, thisYear: spanOf(four(year)), lastYear: spanOf(four(year - 1)) };
}

export const sameSpan = (a: Span, b: Span): boolean => a.after === b.after && a.before === b.before;
