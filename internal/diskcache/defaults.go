package diskcache

import "time"

// leastFree is how much of the disk a cache leaves free: nothing in it is worth a full disk.
const leastFree = 1 << 30

// What is used is marked as used, but not more often than every touchAfter, because marking
// is writing.
const touchAfter = 10 * time.Minute

// temporaryAge is the age at which a file that is being written was left by a process that ended.
const temporaryAge = time.Hour

// A cache looks through its folder when it has written 1/lookEvery of its size since the
// last time, and then makes at least that much room.
const lookEvery = 16
