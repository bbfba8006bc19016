import type { ProblemBody as Body } from "./types.ts";

/** A failure that the server explains (RFC 9457). Other failures mean that it cannot be reached. */
export class Problem extends Error {
  readonly status: number;
  readonly code: Body["code"] | "";
  readonly title: string;
  readonly hint: string;
  readonly position: { offset: number; length: number } | undefined;

  constructor(status: number, body: Partial<Body>) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.name = "Problem";
    this.status = status;
    this.code = body.code ?? "";
    this.title = body.title ?? "";
    this.hint = body.hint ?? "";
    this.position = body.position;
  }

  /** Whether the same request may go well later. */
  get passing(): boolean {
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** Whether a request was ended because nobody wants its answer any more. */
export const aborted = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError";
