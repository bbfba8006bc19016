export { default as LabelLists } from "./LabelLists.svelte";
