package auth

// maxSessions bounds the sessions that are open.
const maxSessions = 4096

// Bounds of a file of tokens.
const (
	maximumTokens     = 10_000
	maximumTokenLine  = 512
	maximumTokenBytes = 1 << 20
)
