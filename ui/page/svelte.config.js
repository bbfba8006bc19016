import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // Elements are made one by one: nothing in the page is ever parsed as HTML.
    fragments: "tree",
  },
};
