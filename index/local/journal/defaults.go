package journal

// MaxPayload is the largest payload of one frame, in bytes.
const MaxPayload = 256 << 20
