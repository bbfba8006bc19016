package ingest

import "time"

// modelFailures is how many images in a row the model may fail on before the
// run takes it to be the model's fault.
const modelFailures = 5

// forgetBatch is how many files one commit forgets.
const forgetBatch = 10_000

// countDelay is how long a walk goes on alone: most are over by then.
const countDelay = 500 * time.Millisecond

// Watching settles for a moment after a change, since files are written in
// pieces, but not for ever, since some are written all the time; and looks through
// everything now and then, since no system promises to tell of every change.
const (
	settleDelay  = time.Second
	settleLimit  = 10 * time.Second
	fullInterval = 15 * time.Minute
)

// keptChanges is how many changed paths are kept apart; beyond, everything is
// looked through.
const keptChanges = 100_000

// examinedAtOnce is the largest number of files that the library is asked about at once.
const examinedAtOnce = 64
