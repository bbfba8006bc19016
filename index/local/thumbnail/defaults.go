package thumbnail

// maximumThumbnail bounds the length of a thumbnail file.
const maximumThumbnail = 4 << 20
