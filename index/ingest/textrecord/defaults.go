package textrecord

// maximumLine bounds one line of a file of texts, in bytes.
const maximumLine = 4 << 20

// maximumRow bounds one row of CSV with all its columns, in bytes.
const maximumRow = 16 << 20

// addTextsBatch is how many texts are embedded between two looks at the context.
const addTextsBatch = 32
