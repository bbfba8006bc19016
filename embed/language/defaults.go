package language

// mostPositions bounds the rotary tables, which are stored for each place, and with them the length of a text.
const mostPositions = 8192

// positionOffset is where OPT's position table begins: fairseq kept the first two rows for padding.
const positionOffset = 2
