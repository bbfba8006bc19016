import { Problem } from "./problem.ts";

export const base = "/api/v1";
const attempts = 3;
const longestPause = 5; // seconds between attempts, when the server is busy

/** What values of a query string may be; empty ones are left out. */
export type Parameters = Record<string, string | number | boolean | readonly string[] | undefined>;

export function query(values: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === "" || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** unreachable is the event that tells of a server that did not answer. */
export const unreachable = "mekiki-unreachable";

async function reach(path: string, options: RequestInit): Promise<Response> {
  try {
    return await fetch(base + path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (!options.signal?.aborted) dispatchEvent(new Event(unreachable));
    throw error;
  }
}

/** request sends a request, and sends it again a few times when the server is busy. It throws a Problem. */
export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await reach(path, options);
    if (response.ok) return response;
    if (response.status !== 429 || attempt === attempts) throw await problem(response);
    const after = Math.min(longestPause, Number(response.headers.get("Retry-After")) || 1);
    await pause((0.5 + Math.random()) * after, options.signal);
  }
}

async function problem(response: Response): Promise<Problem> {
  try {
    return new Problem(response.status, await response.json());
  } catch {
    return new Problem(response.status, {}); // no problem document: the status has to do
  }
}

/** pause waits for so many seconds, or until the signal says that nobody waits any more. */
export function pause(seconds: number, signal?: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", stop, { once: true });
  });
}

export async function json<Answer>(path: string, options?: RequestInit): Promise<Answer> {
  const response = await request(path, options);
  return (response.status === 204 ? undefined : await response.json()) as Answer;
}

/** content makes a request's body: JSON, or multipart where images come along. */
export function content(value: object, image?: File | readonly File[] | null): RequestInit {
  const [first, ...more] = image instanceof File ? [image] : (image ?? []);
  if (!first) return { body: JSON.stringify(value), headers: { "Content-Type": "application/json" } };
  const form = new FormData();
  form.append("image", first, first.name || "image");
  for (const each of more) form.append("images", each, each.name || "image");
  form.append("request", new Blob([JSON.stringify(value)], { type: "application/json" }));
  return { body: form };
}

export function post<Answer>(
  path: string,
  value: object,
  image?: File | readonly File[] | null,
  signal?: AbortSignal,
): Promise<Answer> {
  return json<Answer>(path, { method: "POST", ...content(value, image), signal: signal ?? null });
}
