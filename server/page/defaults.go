package page

// maxBytes bounds what the page may take in memory.
const maxBytes = 64 << 20
