package takeout

// maximumAlbum bounds the JSON about an album.
const maximumAlbum = 1 << 20
