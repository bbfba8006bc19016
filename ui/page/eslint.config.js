import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

export default ts.config(
  { ignores: ["node_modules/", "src/api/schema.ts"] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  ...svelte.configs.prettier,
  { languageOptions: { globals: { ...globals.browser } } },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
  },
  {
    rules: {
      // A link is an address of the page's state; there is no router that it could miss.
      "svelte/no-navigation-without-resolve": "off",
      // Maps and sets that are drawn are said to be so; the others need not tell anybody.
      "svelte/prefer-svelte-reactivity": "off",
      "svelte/no-at-html-tags": "error",
      "svelte/require-each-key": "error",
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Text is never HTML." },
        { property: "outerHTML", message: "Text is never HTML." },
        { property: "insertAdjacentHTML", message: "Text is never HTML." },
      ],
      "max-lines": ["error", { max: 300, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ["src/words/*.ts"], rules: { "max-lines": "off" } },
);
