package container

import "encoding/binary"

func little16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func little32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
func big16(b []byte) uint16    { return binary.BigEndian.Uint16(b) }
func big32(b []byte) uint32    { return binary.BigEndian.Uint32(b) }

// little24 returns the 24-bit number at the start of b.
func little24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
