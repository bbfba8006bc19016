package engine

import (
	"context"
	"errors"
	"net"
	"time"

	"mekiki/embed/priority"
)

// patience is how long a call tries: in all, and while every node refuses the connection.
type patience struct{ call, refused time.Duration }

type patientKey struct{}

// Patient marks calls that somebody waits for and that should outlast a restart of all nodes, such as those of a write:
// they do not give up before the usual time where connections are refused, as searches do.
func Patient(ctx context.Context) context.Context {
	return context.WithValue(ctx, patientKey{}, true)
}

// patienceOf is that of a call: work in the background, see [priority.Background], has the longest.
func patienceOf(ctx context.Context) patience {
	switch {
	case priority.IsBackground(ctx):
		return patience{backgroundTimeout, backgroundTimeout}
	case ctx.Value(patientKey{}) != nil:
		return patience{callTimeout, callTimeout}
	}
	return patience{callTimeout, refusedTimeout}
}

// isRefusal reports whether an error says that nobody listens at an address: it is refused, unreachable or unknown. One
// that does not answer in time may be busy.
func isRefusal(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && failed.Op == "dial" && !failed.Timeout()
}
