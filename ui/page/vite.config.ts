import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";
import { licences } from "./build/licences.ts";

// The built files keep their names: the server serves them below a folder named after the hash of all of them.
export default defineConfig({
  plugins: [svelte(), licences()],
  // Modules find each other relatively, in that folder; the page names them absolutely, as it is shown at every address.
  base: "./",
  experimental: {
    renderBuiltUrl: (name, { hostType }) => (hostType === "html" ? `/${name}` : { relative: true }),
  },
  publicDir: "public",
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: ["chrome123", "firefox125", "safari17.5"],
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
    rolldownOptions: {
      input: { main: "index.html" },
      output: {
        // What two views share is in one file, so that files do not come and go while the source changes.
        codeSplitting: { groups: [{ name: "shared", minShareCount: 2 }] },
        entryFileNames: "js/[name].js",
        chunkFileNames: "js/[name].js",
        assetFileNames: "[ext]/[name][extname]",
      },
    },
  },
  server: {
    proxy: { "/api": "http://127.0.0.1:8080" },
  },
  resolve: process.env["VITEST"] ? { conditions: ["browser"] } : {},
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts"],
  },
});
