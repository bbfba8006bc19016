package sqlitefile

// busyMilliseconds is how long a program that has the database locked is waited for.
const busyMilliseconds = 3000

// MaximumValue is the most bytes of a value that are kept.
const MaximumValue = 8 << 20
