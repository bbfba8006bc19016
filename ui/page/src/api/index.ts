// Speaks to the server; docs/api.md says what it answers. Every failure that the server explains is a Problem.
import { stream } from "./events.ts";
import { base, content, json, post, query, type Parameters } from "./request.ts";
import type * as schema from "./types.ts";

export { Problem, aborted } from "./problem.ts";
export { base };
export type * from "./types.ts";

const at = encodeURIComponent;

export const session = () => json<schema.Session>("/session");
export const signIn = (token: string) => post<schema.Session>("/session", { token });
export const signOut = () => json<undefined>("/session", { method: "DELETE" });
export const status = () => json<schema.Status>("/status");
export const models = () => json<schema.ModelList>("/models");

export const search = (value: Partial<schema.SearchRequest>, image?: readonly File[], signal?: AbortSignal) =>
  post<schema.SearchAnswer>("/search", value, image, signal);

/** searchStream calls onResult with the first answer and with each that replaces it. */
export const searchStream = (
  value: Partial<schema.SearchRequest>,
  image: readonly File[],
  signal: AbortSignal,
  onResult: (result: schema.SearchAnswer) => void,
) =>
  stream("/search", { method: "POST", ...content(value, image), signal }, (event, data) => {
    if (event === "result") onResult(data as schema.SearchAnswer);
  });

/** facets counts all hits of a search, or all pictures, by what filters take. */
export const facets = (value: Partial<schema.FacetsRequest>, image: readonly File[], signal: AbortSignal) =>
  post<schema.FacetsAnswer>("/facets", value, image, signal);

/** translations lists what can be translated from and into; translate does it. */
export const translations = () => json<schema.TranslationPairs>("/translations");
export const translate = (texts: string[], from: string, to: string) =>
  post<schema.TranslationAnswer>("/translations", { texts, from, to });

export const suggestions = (q: string, signal: AbortSignal) =>
  json<schema.SuggestionsAnswer>(`/suggestions${query({ q, limit: 8 })}`, { signal });

export const lookup = (value: object, image: File | null, signal: AbortSignal) =>
  post<schema.LookupAnswer>("/lookup", value, image, signal);
export const labels = (value: object, image: File | null, signal: AbortSignal) =>
  post<schema.LookupAnswer>("/labels", value, image, signal);
export const addTexts = (texts: object[]) => post<schema.TextsAnswer>("/texts", { texts });

/** chat asks about a picture: onPiece gets the answer piece by piece, onAnswer all of it with its probability. */
export const chat = (
  value: schema.ChatRequest,
  signal: AbortSignal,
  onPiece: (text: string) => void,
  onAnswer: (answer: schema.Answer) => void,
) =>
  stream("/chat", { method: "POST", ...content(value), signal }, (event, data) => {
    if (event === "piece") onPiece((data as { text: string }).text);
    if (event === "answer") onAnswer(data as schema.Answer);
  });

export const records = (values: Parameters, signal?: AbortSignal) =>
  json<schema.RecordList>(`/records${query(values)}`, { signal: signal ?? null });
export const record = (id: string, signal?: AbortSignal) =>
  json<schema.LibraryRecord>(`/records/${at(id)}`, { signal: signal ?? null });
/** layout gives all pictures of a list at once, as columns. */
export const layout = (values: Parameters, signal?: AbortSignal) =>
  json<schema.Layout>(`/layout${query(values)}`, { signal: signal ?? null });
export const edit = (value: schema.EditRequest) => post<schema.EditAnswer>("/edits", value);
export const undo = (token: string) => post<schema.EditAnswer>(`/undo/${at(token)}`, {});
export const listTrash = (offset: number, limit: number) => json<schema.TrashList>(`/trash${query({ offset, limit })}`);
export const trash = (ids: readonly string[]) => post<schema.EditAnswer>("/trash", { ids });
export const restore = (ids: readonly string[]) => post<schema.EditAnswer>("/trash/restore", { ids });
export const emptyTrash = () => json<schema.TrashEmptied>("/trash", { method: "DELETE" });
export const collections = () => json<schema.CollectionList>("/collections");
export const renameCollection = (from: string, name: string) =>
  post<schema.EditAnswer>(`/collections/${at(from)}`, { name });
export const deleteCollection = (name: string) =>
  json<schema.EditAnswer>(`/collections/${at(name)}`, { method: "DELETE" });
export const savedSearches = () => json<schema.SavedSearchList>("/saved-searches");
export const shares = (collection: string) => json<schema.ShareList>(`/shares${query({ collection })}`);
export const share = (value: schema.ShareRequest) => post<schema.NewShare>("/shares", value);
export const endShare = (name: string) => json<undefined>(`/shares/${at(name)}`, { method: "DELETE" });
export const saveSearch = (name: string, search: string) =>
  post<schema.SavedSearch>("/saved-searches", { name, query: search });
export const dropSearch = (name: string) => json<undefined>(`/saved-searches/${at(name)}`, { method: "DELETE" });
export const makeDownload = (value: schema.DownloadRequest) => post<schema.DownloadAnswer>("/downloads", value);

export const upload = (image: File, details: Partial<schema.RecordDetails> = {}, signal?: AbortSignal) =>
  post<schema.LibraryRecord>("/records", details, image, signal);

export const thumbnail = (id: string) => `${base}/records/${at(id)}/thumbnail`;
/** rendition is the picture at the size of a screen. Asked for by its hash, it is kept for good. */
export const rendition = (id: string, hash = "") => `${base}/records/${at(id)}/renditions/1600${query({ hash })}`;
export const tiles = (id: string, signal?: AbortSignal) =>
  json<schema.Tiles>(`/records/${at(id)}/tiles`, { signal: signal ?? null });
export const tile = (id: string, key: string, hash = "") => `${base}/records/${at(id)}/tiles/${key}${query({ hash })}`;
export const original = (id: string) => `${base}/records/${at(id)}/original`;
export const map = (id: string, text: string, signal?: AbortSignal) =>
  json<schema.ImageMap>(`/records/${at(id)}/map${query({ text })}`, { signal: signal ?? null });
export const mapPicture = (id: string, text: string) =>
  `${base}/records/${at(id)}/map${query({ text, format: "png" })}`;

export const duplicates = (level: string, offset: number, signal?: AbortSignal) =>
  json<schema.DuplicatesAnswer>(`/duplicates${query({ level, offset, limit: 50 })}`, { signal: signal ?? null });

export const jobs = () => json<schema.JobList>("/jobs");
export const startJob = (value: Partial<schema.JobRequest>) => post<schema.Job>("/jobs", value);
export const cancelJob = (id: string) => json<unknown>(`/jobs/${at(id)}`, { method: "DELETE" });
export const failures = (offset = 0, reason = "") =>
  json<schema.FailureList>(`/failures${query({ offset, limit: 100, reason })}`);
export const failuresTable = (reason = "") => `${base}/failures${query({ reason, format: "csv" })}`;
export const spaces = () => json<schema.SpaceList>("/spaces");
/** serveSpace has searches use another of the models that the library was indexed with. */
export const serveSpace = (fingerprint: string) =>
  json<schema.SpaceList>(`/spaces/${at(fingerprint)}/serve`, { method: "POST" });

/** followJob calls onJob with each state of a job until it ends. */
export const followJob = (id: string, signal: AbortSignal, onJob: (job: schema.Job) => void) =>
  stream(`/jobs/${at(id)}/events`, { signal }, (event, data) => {
    if (event === "progress" || event === "done") onJob(data as schema.Job);
  });
