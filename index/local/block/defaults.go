package block

// MaxPayload is the largest payload of one block, in bytes.
const MaxPayload = 64 << 20
