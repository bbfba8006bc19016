//go:build !unix

package blip2

import "time"

// processorTime is not known on this system.
func processorTime() time.Duration { return 0 }
