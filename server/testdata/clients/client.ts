// The client that .ci/clients type-checks against what openapi-typescript makes of openapi.json, and runs.
import type { components, operations, paths } from "./schema.ts";

type Found = paths["/api/v1/search"]["get"]["responses"]["200"]["content"]["application/json"];
type Patch = operations["patchRecord"]["requestBody"]["content"]["application/merge-patch+json"];
type Uploaded = components["schemas"]["BatchAnswer"];

const [address, picture] = process.argv.slice(2);
const { readFile } = await import("node:fs/promises");

async function json<T>(method: string, path: string, body?: BodyInit, kind?: string): Promise<T> {
  const answer = await fetch(address + path, { method, body, headers: kind ? { "Content-Type": kind } : {} });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

const form = new FormData();
form.append("image", new File([new Uint8Array(await readFile(picture!))], "picture.jpg"));
const uploaded = await json<Uploaded>("POST", "/api/v1/uploads", form);
const record = uploaded.results[0]?.record;
if (!record) throw new Error(JSON.stringify(uploaded));
const patch: Patch = { title: "generated", rating: null, tags: ["typescript"] };
const changed = await json<components["schemas"]["Record"]>("PATCH", `/api/v1/records/${record.id}`, JSON.stringify(patch), "application/merge-patch+json");
const found = await json<Found>("GET", "/api/v1/search?q=a+picture");
console.log(`TypeScript: uploaded record ${record.id}, ${found.hits.length} hits by words, tags ${changed.tags?.join()}`);
