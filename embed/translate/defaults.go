package translate

const (
	// mostBytes and mostTokens bound a text before memory is asked for.
	mostBytes  = 16 << 10
	mostTokens = 512
	// leastRoom and roomFactor say how many tokens a translation may have: so many, and so many for each of the text's.
	leastRoom  = 16
	roomFactor = 4
)
