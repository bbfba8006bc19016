package jpegfix

// leastLeft is the share of a picture, one in so many, that has to be left of it.
const leastLeft = 16

// maximumRepairs is how many forms of a progressive file are tried, each with one scan
// less.
const maximumRepairs = 12
