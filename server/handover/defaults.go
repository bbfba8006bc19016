package handover

// secretBytes is how many random bytes a secret has, and maximumFile the most that is read of the file.
const (
	secretBytes = 32
	maximumFile = 1 << 16
)
