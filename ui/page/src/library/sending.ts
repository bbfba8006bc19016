import { Problem, base, type LibraryRecord } from "../api";

/** What became of a file that was sent: a new record, or one that was there already. */
export type Sent = { record: LibraryRecord; added: boolean };

/** send uploads a file with the folder that it came from, and says how many of its bytes are sent. fetch cannot say that. */
export function send(file: File, folder: string, signal: AbortSignal, onBytes: (sent: number) => void): Promise<Sent> {
  const form = new FormData();
  form.append("image", file, file.name);
  form.append("request", new Blob([JSON.stringify(folder ? { folder } : {})], { type: "application/json" }));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("POST", `${base}/records`);
    request.responseType = "text";
    request.upload.onprogress = (event) =>
      onBytes(event.lengthComputable ? (file.size * event.loaded) / event.total : 0);
    request.onload = () => {
      signal.removeEventListener("abort", stop);
      const answer = parse(request.responseText);
      if (request.status === 200 || request.status === 201)
        resolve({ record: answer as LibraryRecord, added: request.status === 201 });
      else reject(new Problem(request.status, answer as object));
    };
    request.onerror = () => reject(new TypeError("the server cannot be reached"));
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    signal.addEventListener("abort", stop, { once: true });
    request.send(form);
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return {};
  }
}
