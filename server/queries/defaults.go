package queries

// overlaySide is the side in pixels of a map that is laid over a picture.
const overlaySide = 256
