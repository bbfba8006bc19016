// Speaks to the server: see docs/api.md. Every failure is a Problem.

const base = "/api/v1";

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code || "";
    this.title = body.title || "";
    this.body = body;
  }
}

async function fail(response) {
  let body = {};
  try {
    body = await response.json();
  } catch {
    // Not a problem document: the status has to do.
  }
  throw new Problem(response.status, body);
}

// request asks again, a few times, when the server is busy.
async function request(path, options = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(base + path, { credentials: "same-origin", ...options });
    if (response.ok) return response;
    if (response.status !== 429 || attempt === 3) await fail(response);
    await pause((0.5 + Math.random()) * Math.min(5, Number(response.headers.get("Retry-After")) || 1), options.signal);
  }
}

// pause waits for so many seconds, or until the request is not wanted any more.
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 1000 * seconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

async function json(path, options) {
  const response = await request(path, options);
  return response.status === 204 ? null : response.json();
}

function parameters(values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined || value === null || value === "" || value === false) continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, one);
  }
  const text = query.toString();
  return text ? `?${text}` : "";
}

// body makes a request body: JSON, or multipart where an image file comes along.
function body(value, image) {
  if (!image) return { body: JSON.stringify(value), headers: { "Content-Type": "application/json" } };
  const form = new FormData();
  form.append("image", image, image.name || "image");
  form.append("request", new Blob([JSON.stringify(value)], { type: "application/json" }));
  return { body: form, headers: {} };
}

function post(path, value, image, signal) {
  const { body: content, headers } = body(value, image);
  return json(path, { method: "POST", body: content, headers, signal });
}

export const session = () => json("/session");
export const signIn = (token) => post("/session", { token });
export const signOut = () => json("/session", { method: "DELETE" });
export const status = () => json("/status");
export const models = () => json("/models");
export const suggestions = (q, signal) => json(`/suggestions${parameters({ q, limit: 8 })}`, { signal });
export const records = (query, signal) => json(`/records${parameters(query)}`, { signal });
export const record = (id, signal) => json(`/records/${encodeURIComponent(id)}`, { signal });
export const removeRecord = (id) => json(`/records/${encodeURIComponent(id)}`, { method: "DELETE" });
export const tag = (id, name) => json(`/records/${encodeURIComponent(id)}/tags/${encodeURIComponent(name)}`, { method: "PUT" });
export const untag = (id, name) => json(`/records/${encodeURIComponent(id)}/tags/${encodeURIComponent(name)}`, { method: "DELETE" });
export const lookup = (value, image, signal) => post("/lookup", value, image, signal);
export const labels = (value, image, signal) => post("/labels", value, image, signal);
export const duplicates = (level, offset) => json(`/duplicates${parameters({ level, offset, limit: 50 })}`);
export const failures = (offset = 0) => json(`/failures${parameters({ offset, limit: 100 })}`);
export const jobs = () => json("/jobs");
export const startJob = (value) => post("/jobs", value);
export const cancelJob = (id) => json(`/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
export const addTexts = (texts) => post("/texts", { texts });
export const upload = (image) => post("/records", {}, image);
export const search = (value, image, signal) => post("/search", value, image, signal);

export const map = (id, text) => json(`/records/${encodeURIComponent(id)}/map${parameters({ text })}`);
export const mapPicture = (id, text) => `${base}/records/${encodeURIComponent(id)}/map${parameters({ text, format: "png" })}`;

export const thumbnail = (id) => `${base}/records/${encodeURIComponent(id)}/thumbnail`;
export const original = (id) => `${base}/records/${encodeURIComponent(id)}/original`;

// searchStream calls onResult with the first answer and with each that replaces it.
export async function searchStream(value, image, signal, onResult) {
  const { body: content, headers } = body(value, image);
  const response = await request("/search", { method: "POST", body: content, headers: { ...headers, Accept: "text/event-stream" }, signal });
  await readEvents(response, (event, data) => {
    if (event === "result") onResult(data);
    if (event === "problem") throw new Problem(data.status || 500, data);
    return event === "done";
  });
}

// chat asks about a picture: onPiece gets the answer piece by piece, onAnswer all of it with its probability.
export async function chat(value, signal, onPiece, onAnswer) {
  const { body: content, headers } = body(value);
  const response = await request("/chat", { method: "POST", body: content, headers: { ...headers, Accept: "text/event-stream" }, signal });
  await readEvents(response, (event, data) => {
    if (event === "piece") onPiece(data.text);
    if (event === "answer") onAnswer(data);
    if (event === "problem") throw new Problem(data.status || 500, data);
    return event === "done";
  });
}

// followJob calls onJob with each state of a job until it ends.
export async function followJob(id, signal, onJob) {
  const response = await request(`/jobs/${encodeURIComponent(id)}/events`, { headers: { Accept: "text/event-stream" }, signal });
  await readEvents(response, (event, data) => {
    if (event === "progress" || event === "done") onJob(data);
    return event === "done";
  });
}

// readEvents reads an event stream until handle returns true. A stream that ends before is an error.
async function readEvents(response, handle) {
  if (!(response.headers.get("Content-Type") || "").startsWith("text/event-stream")) {
    handle("result", await response.json());
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the stream ended too early");
    buffer += value.replaceAll("\r\n", "\n");
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const message = parseEvent(buffer.slice(0, end));
      buffer = buffer.slice(end + 2);
      if (message && handle(message.event, message.data)) {
        await reader.cancel();
        return;
      }
    }
  }
}

function parseEvent(block) {
  let event = "message";
  const data = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event:")) event = line.slice(6).trim();
    if (line.startsWith("data:")) data.push(line.slice(5).trimStart());
  }
  return data.length ? { event, data: JSON.parse(data.join("\n")) } : null;
}
