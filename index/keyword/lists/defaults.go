package lists

// chunkPostings is how many documents of a list bleve's files have in a chunk, at most.
const chunkPostings = 1024
