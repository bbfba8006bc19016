// Words in the reader's language.
import en from "./locales/en.js";
import ja from "./locales/ja.js";

const languages = { en, ja };
const key = "mekiki-language";

function initial() {
  const stored = localStorage.getItem(key);
  if (stored in languages) return stored;
  for (const wanted of navigator.languages || []) {
    const short = wanted.slice(0, 2).toLowerCase();
    if (short in languages) return short;
  }
  return "en";
}

let language = initial();

export const names = { en: "English", ja: "日本語" };
export const current = () => language;

export function choose(next) {
  language = next;
  localStorage.setItem(key, next);
}

// t("results", {count: 3}): {count} is replaced; an entry may be a function of the values.
export function t(name, values = {}) {
  const entry = languages[language][name] ?? en[name] ?? name;
  if (typeof entry === "function") return entry(values);
  return entry.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? values[key] : whole));
}

export const number = (value) => new Intl.NumberFormat(language).format(value);
export const decimal = (value) => new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value);
export const percent = (value) => new Intl.NumberFormat(language, { style: "percent" }).format(value);
export const date = (value) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value));

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${new Intl.NumberFormat(language, { maximumFractionDigits: unit ? 1 : 0 }).format(size)} ${units[unit]}`;
}
