package xmp

import "time"

const (
	// journalRuns and journalBytes bound what is kept for undoing: the oldest runs beyond them are forgotten.
	journalRuns  = 100
	journalBytes = 1 << 30
	// maximumJournalLine bounds one line of a journal: a sidecar as base64 and the names around it.
	maximumJournalLine = 8 << 20
	// listedChanges is how many files of a run are reported one by one.
	listedChanges = 10_000
	// maximumNames bounds the names of a folder among which sidecars are looked for.
	maximumNames = 1 << 20
	// openFolders is how many folders' names are remembered.
	openFolders = 16
)

const (
	// followInterval is how often a server looks for changes, and followAtMost how long edits that go on put off writing.
	followInterval = time.Second
	followAtMost   = 2 * time.Minute
)
