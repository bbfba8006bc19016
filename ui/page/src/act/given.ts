// What people have given to pictures, to complete what is typed.
import { collections, records } from "../api";

export const knownTags = async (): Promise<string[]> =>
  ((await records({ limit: 1, facets: true })).facets?.tags ?? []).map(({ value }) => value);

export const knownCollections = async (): Promise<string[]> =>
  (await collections()).collections.map(({ name }) => name);
