import { Problem } from "../api";
import type { Words } from "../words";

/** sentence begins with a capital, unless with the name of something. */
export const sentence = (text: string): string =>
  text.replace(/^[a-z](?=[a-z]*[ ,])/, (letter) => letter.toUpperCase());

/** heading is the kind of problem in the reader's language, or as the server says it. */
export const heading = (t: Words, error: unknown): string =>
  error instanceof Problem ? t.problems[error.code] || error.title || t.problem : t.offline;

/** reason is a problem in one line. */
export const reason = (t: Words, error: unknown): string =>
  error instanceof Problem ? sentence(error.message) : t.offline;

/** pointed cuts a query into what stands before a problem, at it, and after it. Positions count code points. */
export function pointed(
  query: string,
  { offset, length }: { offset: number; length: number },
): [string, string, string] {
  const points = [...query];
  const end = offset + Math.max(1, length);
  return [points.slice(0, offset).join(""), points.slice(offset, end).join("") || "⟵", points.slice(end).join("")];
}
