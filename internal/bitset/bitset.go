// Package bitset has sets of numbers that leave few gaps, one bit for each number.
package bitset

// Set is a set of numbers from zero on. A nil set is empty, unless who takes it says otherwise.
type Set []uint64

// New makes an empty set that has room for the numbers below a limit.
func New(limit uint64) Set { return make(Set, (limit+63)/64) }

// Has reports whether a number is in the set, which may be one that there is no room for.
func (s Set) Has(number uint64) bool {
	word := number >> 6
	return word < uint64(len(s)) && s[word]>>(number&63)&1 == 1
}

// HasAny reports whether one of the numbers from the first to the last is in the set, or one that shares a word of 64 with these.
func (s Set) HasAny(first, last uint64) bool {
	for word := first >> 6; word <= last>>6 && word < uint64(len(s)); word++ {
		if s[word] != 0 {
			return true
		}
	}
	return false
}

// Add puts in a number that there is room for.
func (s Set) Add(number uint64) { s[number>>6] |= 1 << (number & 63) }
