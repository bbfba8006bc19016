package marian

// longestSample is the most tokens of a sample.
const longestSample = 64
