// Written by go test ./index/filters -run Documentation -update, from the table of filters.
// key is the parameter in an address, keyword what the query language calls it, member that of a filter in JSON, facet the name of its counts.
export const filters = [
  { key: "folder", keyword: "folder", member: "folders", facet: "folders", repeatable: true },
  { key: "tag", keyword: "tag", member: "tags", facet: "tags", repeatable: true },
  { key: "person", keyword: "person", member: "people", facet: "people", repeatable: true },
  { key: "rating", keyword: "rating", member: "ratings", facet: "ratings", repeatable: true },
  { key: "after", keyword: "after", member: "after", facet: "", repeatable: false },
  { key: "before", keyword: "before", member: "before", facet: "", repeatable: false },
  { key: "collection", keyword: "collection", member: "collections", facet: "collections", repeatable: true },
  { key: "camera", keyword: "camera", member: "cameras", facet: "cameras", repeatable: true },
  { key: "format", keyword: "type", member: "formats", facet: "formats", repeatable: true },
  { key: "size", keyword: "size", member: "sizes", facet: "sizes", repeatable: true },
] as const;

// What the query language calls each filter that it has.
export const keywords = [
  "folder",
  "tag",
  "person",
  "rating",
  "text",
  "after",
  "before",
  "taken",
  "collection",
  "favourite",
  "hidden",
  "trash",
  "camera",
  "type",
  "size",
  "near",
  "kind",
];
