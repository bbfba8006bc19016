package transport

import (
	"crypto/rand"
	"encoding/hex"
)

// RandomHex gives n random bytes in hexadecimal; crypto/rand never fails.
func RandomHex(n int) string {
	data := make([]byte, n)
	rand.Read(data)
	return hex.EncodeToString(data)
}
