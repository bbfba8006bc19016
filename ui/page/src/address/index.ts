export { address, follow, type Held } from "./address.svelte.ts";
export * from "./state.ts";
export { filters, keywords } from "./filters.ts";
