package highlights

// mostLines is how many lines of words in a picture are marked.
const mostLines = 8
