package listing

// maxKept is how many lists are kept: a list of a million records takes 8 MB.
const maxKept = 3
