// Written by go test ./index/filters -run Documentation -update, from the table of filters.
// key is the parameter in an address, member that of a filter in JSON, facet the name of its counts.
export const filters = [
  { key: "folder", member: "folders", facet: "folders", repeatable: true },
  { key: "tag", member: "tags", facet: "tags", repeatable: true },
  { key: "person", member: "people", facet: "people", repeatable: true },
  { key: "rating", member: "ratings", facet: "ratings", repeatable: true },
  { key: "after", member: "after", facet: "", repeatable: false },
  { key: "before", member: "before", facet: "", repeatable: false },
  { key: "collection", member: "collections", facet: "collections", repeatable: true },
  { key: "camera", member: "cameras", facet: "cameras", repeatable: true },
  { key: "format", member: "formats", facet: "formats", repeatable: true },
  { key: "size", member: "sizes", facet: "sizes", repeatable: true },
] as const;
