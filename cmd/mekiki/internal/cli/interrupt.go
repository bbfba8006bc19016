package cli

import (
	"context"
	"sync"
)

// Interrupts lets a part of the work take Ctrl-C for itself, such as an answer that is being written. The zero
// value is ready to use.
type Interrupts struct {
	mutex sync.Mutex
	stops []*context.CancelFunc
}

// Take gives a context that the next interrupt ends, and only that. The caller calls done when the work is over.
func (i *Interrupts) Take(ctx context.Context) (part context.Context, done func()) {
	part, cancel := context.WithCancel(ctx)
	if i == nil {
		return part, cancel
	}
	stop := &cancel
	i.mutex.Lock()
	defer i.mutex.Unlock()
	i.stops = append(i.stops, stop)
	return part, func() {
		i.remove(stop)
		cancel()
	}
}

func (i *Interrupts) remove(stop *context.CancelFunc) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	for at, one := range i.stops {
		if one == stop {
			i.stops = append(i.stops[:at:at], i.stops[at+1:]...)
			return
		}
	}
}

// Interrupt ends the part that took interrupts last, and reports whether there was one; else the whole
// program is meant.
func (i *Interrupts) Interrupt() bool {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if len(i.stops) == 0 {
		return false
	}
	last := i.stops[len(i.stops)-1]
	i.stops = i.stops[:len(i.stops)-1]
	(*last)()
	return true
}
