package webhooks

import "time"

// Bounds of the configuration.
const (
	configBytes  = 256 << 10
	maximumHooks = 16
	secretLeast  = 24 // bytes, as Standard Webhooks has it
	secretMost   = 64
)

// Bounds of what is kept: deliveries that are to be made to one hook and what they say together, those that have ended, and what
// one of them says.
const (
	maximumPending = 500
	pendingBytes   = 2 << 20
	maximumLog     = 200
	payloadBytes   = 64 << 10
	stateBytes     = 64 << 20
)

// What one event names of many records, and how often the library is looked at for new ones.
const (
	namedRecords = 100
	lookInterval = 5 * time.Second
	lookRecords  = 100_000
)

// attemptTime bounds one attempt, and answerBytes what is read of its answer.
const (
	attemptTime = 15 * time.Second
	answerBytes = 4 << 10
)

// schedule is how long to wait after each attempt that failed, give or take jitter; after the last there is none.
var schedule = []time.Duration{
	5 * time.Second, 30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour,
}

// jitter is the share of a wait that chance may take away or add.
const jitter = 0.2
