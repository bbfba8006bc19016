package numbers

// Groups are listed up to gapsListed times as many as there are, and leastListed more.
const gapsListed, leastListed = 8, 1 << 12
