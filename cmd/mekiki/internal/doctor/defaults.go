package doctor

import "time"

const (
	// serverTime bounds a question to a server.
	serverTime = 10 * time.Second
	// engineTime bounds the questions to the engine of a cluster, which is tried again and again until then.
	engineTime = 5 * time.Second
)
