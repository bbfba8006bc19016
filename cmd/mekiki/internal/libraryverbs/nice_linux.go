package libraryverbs

import (
	"errors"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// lowerThreads gives every thread of the process a priority: Linux keeps one for each, and threads inherit that of the
// thread that starts them.
func lowerThreads(priority int) error {
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return setPriority(0, priority)
	}
	var problems []error
	for _, task := range tasks {
		if thread, err := strconv.Atoi(task.Name()); err == nil {
			if err := setPriority(thread, priority); err != nil && !errors.Is(err, unix.ESRCH) {
				problems = append(problems, err)
			}
		}
	}
	return errors.Join(problems...)
}
