package golden

// maximumImage bounds the image files.
const maximumImage = 64 << 20
