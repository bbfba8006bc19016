import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

// licences fails the build when a package ends in the bundle whose licence is not in licences/, from where
// THIRD_PARTY_LICENSES.md takes it.
export function licences(): Plugin {
  return {
    name: "licences",
    apply: "build",
    generateBundle(_options, bundle) {
      const packages = new Set<string>();
      for (const file of Object.values(bundle)) {
        if (file.type !== "chunk") continue;
        for (const [id, module] of Object.entries(file.modules)) {
          const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1];
          if (name && module.renderedLength > 0) packages.add(name);
        }
      }
      for (const name of packages) {
        const file = `../licences/LICENSE.${name.replace("/", "-").replace("@", "")}`;
        if (!existsSync(fileURLToPath(new URL(file, import.meta.url)))) {
          this.error(`${name} is in the bundle, and ${file} is missing`);
        }
      }
    },
  };
}
