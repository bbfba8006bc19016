export { lang, languageNames, type Language } from "./language.svelte.ts";
export type { Words } from "./en.ts";
