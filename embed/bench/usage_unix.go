//go:build unix

package bench

import (
	"bufio"
	"os"
	"strconv"
	"strings"

	"mekiki/internal/usage"
)

// resetPeak makes peak begin anew, where the system can; elsewhere peak is that of
// the whole life of the process.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peak is the most memory, in bytes, that the process held at once.
func peak() int64 {
	if value, ok := highWater("/proc/self/status"); ok {
		return value
	}
	return usage.PeakMemory()
}

func highWater(path string) (int64, bool) {
	file, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			value, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return value << 10, err == nil
		}
	}
	return 0, false
}
