// Short names for what the server takes and gives; schema.ts is generated from the API document.
import type { components } from "./schema.ts";

type Schemas = components["schemas"];

export type Answer = Schemas["Answer"];
export type Asked = Schemas["Asked"];
export type ChatRequest = Schemas["ChatRequest"];
export type ClauseMatch = Schemas["ClauseMatch"];
export type DuplicateGroup = Schemas["DuplicateGroup"];
export type DuplicateMember = Schemas["DuplicateMember"];
export type DuplicatesAnswer = Schemas["DuplicatesAnswer"];
export type Facets = Schemas["Facets"];
export type FacetValue = Schemas["FacetValue"];
export type Failure = Schemas["Failure"];
export type FailureList = Schemas["FailureList"];
export type Hit = Schemas["Hit"];
export type ImageMap = Schemas["ImageMap"];
export type Job = Schemas["Job"];
export type JobList = Schemas["JobList"];
export type JobRequest = Schemas["JobRequest"];
export type Leg = Schemas["Leg"];
export type LibraryRecord = Schemas["Record"];
export type LookupAnswer = Schemas["LookupAnswer"];
export type ModelList = Schemas["ModelList"];
export type ProblemBody = Schemas["Problem"];
export type RecordDetails = Schemas["RecordDetails"];
export type RecordList = Schemas["RecordList"];
export type SearchAnswer = Schemas["SearchAnswer"];
export type SearchRequest = Schemas["SearchRequest"];
export type Session = Schemas["Session"];
export type Status = Schemas["Status"];
export type Suggestion = Schemas["Suggestion"];
export type SuggestionsAnswer = Schemas["SuggestionsAnswer"];
export type TextHit = Schemas["TextHit"];
export type TextsAnswer = Schemas["TextsAnswer"];
