import { afterEach, expect, it, vi } from "vitest";
import { stream } from "./events.ts";
import { Problem } from "./problem.ts";

afterEach(() => vi.unstubAllGlobals());

function answer(...pieces: string[]) {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(encoder.encode(piece));
      controller.close();
    },
  });
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(body, { status: 200 })));
}

async function events() {
  const got: [string, unknown][] = [];
  await stream("/x", {}, (event, data) => got.push([event, data]));
  return got;
}

it("reads events however they are cut", async () => {
  answer(": alive\n\nevent: result\nda", 'ta: {"a":\ndata: 1}\n', "\nevent: done\r\ndata: {}\r\n\r\n");
  expect(await events()).toEqual([
    ["result", { a: 1 }],
    ["done", {}],
  ]);
});

it("throws a problem that comes in the stream", async () => {
  answer('event: problem\ndata: {"status": 503, "code": "unavailable", "detail": "busy"}\n\n');
  const error = await events().catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(Problem);
  expect((error as Problem).status).toBe(503);
});

it("does not take a stream that ends early for a whole one", async () => {
  answer('event: result\ndata: {"a": 1}\n\n');
  await expect(events()).rejects.toThrow("too early");
});
