package language

// mostPositions bounds the rotary tables, which are stored for each place, and with them the length of a text.
const mostPositions = 8192
