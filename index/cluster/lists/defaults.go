package lists

import "time"

const (
	// keptLists is how many lists are remembered: one of a million records takes 32 MB.
	keptLists = 3
	// keptFrom is how many records a list that is remembered has at least: fewer are found by one query as they are read.
	keptFrom = 500
	// keptFor is how long a list holds where nobody announces a change: one that failed half way is announced by the next alone.
	keptFor = 5 * time.Minute
)
