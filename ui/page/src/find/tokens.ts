// Filters in the text of a query, which the search box shows as tokens: cats tag:travel folder:"Italy 2019".
import { filters, keywords, type ListFilter, type SingleFilter } from "../address";

/** A query's filters as they were typed, and the rest of it. */
export type Parted = { typed: string[]; rest: string };

// A word, with what stands in quotes in it.
const chunk = /(?:"[^"]*"?|[^\s"])+/g;
const filter = new RegExp(`^(?:${keywords.join("|")}):.`, "i");

/** part takes the filters out of a query. What stands in parentheses belongs together and stays; so do questions. */
export function part(query: string): Parted {
  const typed: string[] = [];
  const rest: string[] = [];
  let depth = 0;
  for (const [word] of query.matchAll(chunk)) {
    if (depth === 0 && filter.test(word) && isWhole(word)) typed.push(word);
    else rest.push(word);
    const bare = word.replace(/"[^"]*"?/g, "");
    depth = Math.max(0, depth + bare.split("(").length - bare.split(")").length);
  }
  return { typed, rest: rest.join(" ") };
}

const isWhole = (word: string) => (word.split('"').length - 1) % 2 === 0;

/** joined is the query of its parts. */
export const joined = ({ typed, rest }: Parted): string => [rest.trim(), ...typed].filter(Boolean).join(" ");

/** asText is a filter that was chosen, as somebody would type it. */
export function asText(key: ListFilter | SingleFilter, value: string): string {
  const keyword = filters.find((each) => each.key === key)?.keyword ?? key;
  return `${keyword}:${/[\s"();]/.test(value) ? `"${value.replaceAll('"', "")}"` : value}`;
}
