// Numbers, dates and plurals as a language writes them. Each language has one of these.

export type Format = ReturnType<typeof formats>;

const kept = <Key, Value>(make: (key: Key) => Value) => {
  const values = new Map<Key, Value>();
  return (key: Key): Value => {
    const value = values.get(key) ?? make(key);
    values.set(key, value);
    return value;
  };
};

export function formats(language: string) {
  const whole = new Intl.NumberFormat(language);
  const fixed = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const share = new Intl.NumberFormat(language, { style: "percent" });
  const moment = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const clock = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" });
  const spans = {
    day: new Intl.DateTimeFormat(language, { dateStyle: "full", timeZone: "UTC" }),
    month: new Intl.DateTimeFormat(language, { year: "numeric", month: "long", timeZone: "UTC" }),
    year: new Intl.DateTimeFormat(language, { year: "numeric", timeZone: "UTC" }),
  };
  const list = new Intl.ListFormat(language, { type: "conjunction" });
  const rules = new Intl.PluralRules(language);
  const unit = kept(
    (name: string) => new Intl.NumberFormat(language, { style: "unit", unit: name, maximumFractionDigits: 1 }),
  );
  const long = kept(
    (name: string) =>
      new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "long", maximumFractionDigits: 0 }),
  );

  const period = kept(
    (parts: string) =>
      new Intl.DateTimeFormat(language, {
        year: "numeric",
        ...(parts.includes("month") ? { month: "long" } : {}),
        ...(parts.includes("day") ? { day: "numeric" } : {}),
        timeZone: "UTC",
      }),
  );

  /** plural picks the form for a count and puts the count for #. */
  const plural = (count: number, forms: { one: string; other: string }): string =>
    (rules.select(count) === "one" ? forms.one : forms.other).replace("#", whole.format(count));

  const bytes = (value: number): string => {
    const names = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
    const step = Math.min(names.length - 1, Math.floor(Math.log10(Math.max(1, value)) / 3));
    return unit(names[step] ?? "byte").format(value / 1000 ** step);
  };

  /** duration says about how long so many seconds are. */
  const duration = (seconds: number): string => {
    if (seconds < 60) return long("second").format(Math.max(1, Math.ceil(seconds)));
    if (seconds < 3600) return long("minute").format(Math.round(seconds / 60));
    return long("hour").format(Math.round(seconds / 3600));
  };

  return {
    number: (value: number) => whole.format(value),
    decimal: (value: number) => fixed.format(value),
    percent: (value: number) => share.format(value),
    milliseconds: (value: number) => unit("millisecond").format(Math.round(value)),
    date: (value: string) => moment.format(new Date(value)),
    /** A camera's clock has no zone: the server writes what it showed as if it were UTC. */
    clock: (value: string) => clock.format(new Date(value)),
    /** period writes a year (2024), a month (2024-05) or a day (2024-05-31). */
    period: (value: string) => {
      const [year = 0, month = 1, day = 1] = value.split("-").map(Number);
      const date = new Date(0);
      date.setUTCFullYear(year, month - 1, day);
      const parts = ["year", "month", "day"].slice(0, value.split("-").length);
      return period(parts.join(" ")).format(date);
    },
    /** span names the day, month or year of a day that is counted from 1970-01-01. */
    span: (day: number, span: keyof typeof spans) => spans[span].format(day * 24 * 60 * 60 * 1000),
    list: (values: Iterable<string>) => list.format(values),
    plural,
    bytes,
    duration,
  };
}
