import { address, unfiltered, type ListFilter, type SingleFilter } from "../address";
import { lang } from "../words";

/** toggle sets a value of a filter, or takes it away. */
export function toggle(key: ListFilter, value: string): void {
  const values = address.state[key];
  const next = values.includes(value) ? values.filter((other) => other !== value) : [...values, value];
  address.go({ [key]: next, open: "" });
}

export const clearFilters = (): void => address.go({ ...unfiltered(), open: "" });

/** shortName shows a folder by its last two levels, as many a one is called 2019 or 01. */
export function shortName(key: string, value: string): string {
  if (key !== "folder") return value;
  return value.split(/[\\/]/).filter(Boolean).slice(-2).join("/") || value;
}

/** valueName says a value of a filter as its reader says it. */
export const valueName = (key: ListFilter | SingleFilter, value: string): string =>
  key === "rating" && /^-?\d$/.test(value)
    ? lang.t.stars(Number(value))
    : key === "size"
      ? (lang.t.sizes[value as "small"] ?? value)
      : (key === "after" || key === "before") && /^\d{4}(-\d\d){0,2}$/.test(value)
        ? lang.f.period(value)
        : shortName(key, value);
