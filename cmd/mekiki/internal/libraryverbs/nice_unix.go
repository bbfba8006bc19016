//go:build unix

package libraryverbs

import "golang.org/x/sys/unix"

// lowerPriority gives this process, with all its threads to come and those there are, the lowest priority.
func lowerPriority() error { return lowerThreads(lowestPriority) }

// setPriority gives one thread, or 0 for the caller's process, a priority.
func setPriority(thread, priority int) error {
	return unix.Setpriority(unix.PRIO_PROCESS, thread, priority)
}
