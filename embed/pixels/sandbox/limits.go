package sandbox

// Limits bound what decoding one picture takes.
type Limits struct {
	// Memory is the most that the instance's memory may be, in bytes: at most
	// 4 GiB, and never less than what the module starts with.
	Memory int64
	// Breaks is how often its loops may break, which is once in 262,144 turns
	// and, on today's processors, about once in a millisecond.
	Breaks int32
}

// LimitsOf gives the limits of decoding so many pixels, which takes so many bytes of memory.
func LimitsOf(pixels, memory int64) Limits {
	return Limits{Memory: memory, Breaks: int32(min(pixels/pixelsPerBreak+breaksFixed, 1<<30))}
}
