package libraryverbs

import "golang.org/x/sys/windows"

// lowerPriority gives this process the lowest priority class.
func lowerPriority() error {
	return windows.SetPriorityClass(windows.CurrentProcess(), windows.IDLE_PRIORITY_CLASS)
}
