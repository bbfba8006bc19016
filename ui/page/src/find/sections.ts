import type { Item } from "./results.svelte.ts";

const verdicts = ["strong", "weak", "none"] as const;
export type Verdict = (typeof verdicts)[number];
export type Section = { at: number; verdict: Verdict; count: number; open: boolean };

/**
 * sections are the parts of a list of hits by verdict, where each begins. The last one is open where more hits may come. A list by
 * date has none, since its verdicts are mixed.
 */
export function sections(items: readonly Pick<Item, "hit">[], more: boolean): Section[] {
  const found: Section[] = [];
  for (const [at, { hit }] of items.entries()) {
    if (!hit || hit.basis === "filter") return [];
    const last = found.at(-1);
    if (last?.verdict === hit.verdict) last.count += 1;
    else found.push({ at, verdict: hit.verdict, count: 1, open: false });
  }
  const inOrder = found.every(
    ({ verdict }, at) => at === 0 || verdicts.indexOf(verdict) > verdicts.indexOf(found[at - 1]?.verdict ?? "strong"),
  );
  if (!inOrder) return [];
  const last = found.at(-1);
  if (last) last.open = more;
  return found;
}
