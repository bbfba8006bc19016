//go:build unix && !linux

package libraryverbs

func lowerThreads(priority int) error { return setPriority(0, priority) }
