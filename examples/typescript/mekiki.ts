// A client of Mekiki's HTTP API with nothing but what Node (22.18 or later) and browsers have. Copy what you need.
//
//   MEKIKI_TOKEN=… node mekiki.ts http://127.0.0.1:8080 picture.jpg …
//
// Types of the whole API: npx openapi-typescript http://127.0.0.1:8080/api/v1/openapi.json -o schema.ts
import { createHash, randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

interface Rec {
  id: string;
  title?: string;
  tags: string[];
}

interface Hit {
  rank: number;
  id: string;
  caption?: string;
}

interface Result {
  name: string;
  status: number;
  record?: Rec;
  problem?: { code: string; detail?: string };
}

/** An answer that says what went wrong (RFC 9457). Go by its code. */
class Problem extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, details: { code: string; title: string; detail?: string }) {
    super(details.detail ?? details.title);
    this.status = status;
    this.code = details.code;
  }
}

/** One server. The token is sent where it is not empty; a server on loopback asks for none. */
class Mekiki {
  readonly #address: string;
  readonly #token: string;
  constructor(address: string, token = "") {
    this.#address = address.replace(/\/$/, "");
    this.#token = token;
  }

  /** Makes a request, again where the server says when. */
  async #call(method: string, path: string, body?: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
    const authorization: Record<string, string> = this.#token ? { Authorization: `Bearer ${this.#token}` } : {};
    for (let attempt = 0; ; attempt++) {
      const answer = await fetch(`${this.#address}/api/v1${path}`, { method, body, headers: { ...authorization, ...headers } });
      if (answer.ok) return answer;
      const after = answer.headers.get("Retry-After");
      const details = await answer.json();
      if (!after || attempt >= 4) throw new Problem(answer.status, details);
      await new Promise((resume) => setTimeout(resume, Number(after) * 1000));
    }
  }

  async #json<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await this.#call(method, path, text, { ...(text && { "Content-Type": "application/json" }), ...headers });
    return (await answer.json()) as T;
  }

  async search(text: string, limit = 10): Promise<Hit[]> {
    const query = new URLSearchParams({ q: text, limit: String(limit) });
    return (await this.#json<{ hits: Hit[] }>("GET", `/search?${query}`)).hits;
  }

  /** Sends the pictures that the server does not have, and gives one result for each of them. */
  async upload(paths: string[], tags: string[] = []): Promise<Result[]> {
    const files = new Map<string, File>();
    for (const path of paths) {
      const data = await readFile(path);
      files.set(createHash("sha256").update(data).digest("hex"), new File([new Uint8Array(data)], basename(path)));
    }
    const known = await this.#json<{ unknown: string[] }>("POST", "/uploads/known", { hashes: [...files.keys()] });
    if (known.unknown.length === 0) return [];
    const form = new FormData();
    form.append("request", JSON.stringify({ tags }));
    for (const hash of known.unknown) form.append("image", files.get(hash)!);
    const answer = await this.#call("POST", "/uploads", form);
    return ((await answer.json()) as { results: Result[] }).results;
  }

  /** Goes through all records that pass the filters, page by page. */
  async *records(filters: Record<string, string> = {}): AsyncGenerator<Rec> {
    for (let cursor: string | undefined = ""; cursor !== undefined; ) {
      const query = new URLSearchParams({ ...filters, limit: "100", cursor });
      const page: { records: Rec[]; cursor?: string } = await this.#json("GET", `/records?${query}`);
      yield* page.records;
      cursor = page.cursor;
    }
  }

  /** Changes a record, unless somebody else does so at the same time; then it is read and changed again. */
  async patch(record: string, changes: Record<string, unknown>): Promise<Rec> {
    for (;;) {
      const read = await this.#call("GET", `/records/${record}`);
      await read.body?.cancel();
      try {
        const headers = { "Content-Type": "application/merge-patch+json", "If-Match": read.headers.get("ETag")! };
        return await this.#json<Rec>("PATCH", `/records/${record}`, changes, headers);
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.code !== "precondition_failed") throw problem;
      }
    }
  }

  /** Tags many records, once, however often the request has to be sent. The answer has a token to undo it. */
  tag(ids: string[], tags: string[]): Promise<{ changed: number; undo?: string }> {
    return this.#json("POST", "/edits", { ids, add_tags: tags }, { "Idempotency-Key": randomUUID() });
  }
}

const [address = "http://127.0.0.1:8080", ...paths] = process.argv.slice(2);
const mekiki = new Mekiki(address, process.env["MEKIKI_TOKEN"]);
for (const result of await mekiki.upload(paths, ["example"])) {
  console.log(result.name, result.status, result.problem?.detail ?? "added");
}
const added: string[] = [];
for await (const record of mekiki.records({ tag: "example" })) added.push(record.id);
console.log((await mekiki.tag(added, ["typescript"])).changed, "tagged");
console.log((await mekiki.patch(added[0]!, { title: "From TypeScript", rating: 4 })).title);
for (const hit of await mekiki.search("a picture")) console.log(hit.rank, hit.id, hit.caption ?? "");
