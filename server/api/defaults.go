package api

// multipartOverhead is what the headers and borders of a form may add, in bytes.
const multipartOverhead = 64 << 10
