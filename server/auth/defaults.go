package auth

import "time"

// maxSessions bounds the sessions that are open.
const maxSessions = 4096

// Bounds of a file of tokens.
const (
	maximumTokens     = 10_000
	maximumTokenLine  = 4096
	maximumTokenBytes = 1 << 20
)

// sharedNameLength is how many random letters the name of a share has.
const sharedNameLength = 10

// lookInterval is how often a file of tokens is looked at for changes, and usedWithin how exactly the last use of a token
// is told.
const (
	lookInterval = time.Second
	usedWithin   = time.Hour
)
