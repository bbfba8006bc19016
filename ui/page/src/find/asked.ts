// Questions to the hits, as clauses of the query: ask:"are they asleep?"="yes".

// Matches a question of the query language, with its answer if it has one.
const clause = /\s*\bask:"([^"]*)"(?:!?=(?:"[^"]*"|[^\s"]+))?/g;

/** asks tells whether a query asks something. */
export const asks = (query: string): boolean => query.match(clause) !== null;

/** without leaves a question out of a query. */
export const without = (query: string, question: string): string =>
  query.replace(clause, (whole, asked) => (asked === question ? "" : whole)).trim();

/** having puts a question into a query, and the answer that hits must give. */
export function having(query: string, question: string, answer?: string): string {
  const wanted = answer === undefined ? "" : `="${answer}"`;
  return `${without(query, question)} ask:"${question}"${wanted}`.trim();
}
