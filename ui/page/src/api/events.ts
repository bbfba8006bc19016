import { createParser } from "eventsource-parser";
import { Problem } from "./problem.ts";
import { request } from "./request.ts";

/** What a server sends in a stream: the event's name and its data. */
export type Handler = (event: string, data: unknown) => void;

/**
 * stream sends a request and hands each event to handle until the server says "done". A problem in the stream is thrown, and a
 * stream that ends before is an error.
 */
export async function stream(path: string, options: RequestInit, handle: Handler): Promise<void> {
  const headers = new Headers(options.headers);
  headers.set("Accept", "text/event-stream");
  const response = await request(path, { ...options, headers });
  if (!response.body) throw new Error("the answer has no body");
  let ended = false;
  const parser = createParser({
    onEvent({ event, data }) {
      if (ended) return;
      const value: unknown = JSON.parse(data);
      if (event === "problem") throw new Problem((value as { status?: number }).status ?? 500, value as object);
      handle(event ?? "message", value);
      ended = event === "done";
    },
  });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the stream ended too early");
    parser.feed(value);
    if (!ended) continue;
    await reader.cancel();
    return;
  }
}
