package uploaded

// longestExtension and longestMark bound the name of a format, and what tells one upload from others, in a path.
const longestExtension, longestMark = 16, 32
