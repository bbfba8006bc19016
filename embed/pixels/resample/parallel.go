package resample

import (
	"runtime"
	"sync"
)

// Parallel calls work for parts of 0 to count that together are all of it, in
// several goroutines when there is enough to do. cost is the number of
// operations for one of count.
func Parallel(count, cost int, work func(first, last int)) {
	const worthwhile = 1 << 21 // about a millisecond of work
	parts := min(runtime.GOMAXPROCS(0), count, 1+int(min(int64(count)*int64(cost)/worthwhile, 64)))
	if parts < 2 {
		work(0, count)
		return
	}
	var group sync.WaitGroup
	for part := range parts {
		group.Go(func() { work(part*count/parts, (part+1)*count/parts) })
	}
	group.Wait()
}
