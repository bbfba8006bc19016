package objects

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"mekiki/index"
)

// The header of an object, little-endian:
//
//	0  8  magic "MKIOBJT\n"
//	8  4  version
//	12 4  size of a block
//	16 8  length of the data
//	24 8  mark of the write: random where the write had a condition, else zero
//	32 4  reserved, zero
//	36 4  CRC-32C of the key and of bytes 0 to 35
//
// After each block stands the CRC-32C of the key, the number of the block (8 bytes) and the block.
const (
	headerSize    = 40
	checksumSize  = 4
	frameMagic    = "MKIOBJT\n"
	frameVersion  = 1
	framedBlock   = blockSize + checksumSize
	framedMaximum = headerSize + MaximumObject + (MaximumObject/blockSize+1)*checksumSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is that of a block. Blocks of other objects and other places in an object have others.
func checksum(key string, number uint64, block []byte) uint32 {
	start := binary.LittleEndian.AppendUint64([]byte(key), number)
	return crc32.Update(crc32.Checksum(start, castagnoli), castagnoli, block)
}

// framedSize is what data of some length takes as an object.
func framedSize(length int64) int64 {
	return headerSize + length + (length+blockSize-1)/blockSize*checksumSize
}

// frame makes an object of data.
func frame(key string, data []byte, mark uint64) []byte {
	framed := make([]byte, 0, framedSize(int64(len(data))))
	framed = append(framed, frameMagic...)
	framed = binary.LittleEndian.AppendUint32(framed, frameVersion)
	framed = binary.LittleEndian.AppendUint32(framed, blockSize)
	framed = binary.LittleEndian.AppendUint64(framed, uint64(len(data)))
	framed = binary.LittleEndian.AppendUint64(framed, mark)
	framed = binary.LittleEndian.AppendUint32(framed, 0)
	framed = binary.LittleEndian.AppendUint32(framed, headerChecksum(key, framed))
	for number := uint64(0); len(data) > 0; number++ {
		block := data[:min(len(data), blockSize)]
		data = data[len(block):]
		framed = append(framed, block...)
		framed = binary.LittleEndian.AppendUint32(framed, checksum(key, number, block))
	}
	return framed
}

func headerChecksum(key string, header []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(key), castagnoli), castagnoli, header[:headerSize-checksumSize])
}

// markOf gives the mark of the write that an object is of.
func markOf(framed []byte) uint64 {
	if len(framed) < headerSize {
		return 0
	}
	return binary.LittleEndian.Uint64(framed[24:])
}

// unframe gives the data of an object, in the memory of the object.
func unframe(key string, framed []byte) ([]byte, error) {
	if len(framed) < headerSize || string(framed[:8]) != frameMagic {
		return nil, damaged(key, "it does not begin like an object")
	}
	if binary.LittleEndian.Uint32(framed[headerSize-checksumSize:]) != headerChecksum(key, framed) {
		return nil, damaged(key, "its header is not as written, or another object's")
	}
	if version, size := binary.LittleEndian.Uint32(framed[8:]), binary.LittleEndian.Uint32(framed[12:]); version != frameVersion || size != blockSize {
		return nil, fmt.Errorf("object %s: %w: version %d, blocks of %d bytes", key, index.ErrVersion, version, size)
	}
	length := binary.LittleEndian.Uint64(framed[16:])
	if length > MaximumObject || framedSize(int64(length)) != int64(len(framed)) {
		return nil, damaged(key, "it has %d bytes for %d of data", len(framed), length)
	}
	return unframeBlocks(key, 0, framed[headerSize:])
}

// unframeBlocks gives the data of blocks, of which the first has a number, in their memory.
func unframeBlocks(key string, number uint64, framed []byte) ([]byte, error) {
	data := framed[:0]
	for ; len(framed) > 0; number++ {
		end := min(len(framed), framedBlock) - checksumSize
		if end <= 0 {
			return nil, damaged(key, "block %d is cut off", number)
		}
		block := framed[:end]
		if binary.LittleEndian.Uint32(framed[end:]) != checksum(key, number, block) {
			return nil, damaged(key, "block %d is not as written", number)
		}
		framed = framed[end+checksumSize:]
		data = append(data, block...)
	}
	return data, nil
}

// framedRange is where in an object the blocks lie that have a range of its data: the number
// of the first, and the first byte and the one after the last.
func framedRange(offset, length int64) (first, from, to int64) {
	first = offset / blockSize
	last := (offset + length - 1) / blockSize
	return first, headerSize + first*framedBlock, headerSize + (last+1)*framedBlock
}

func damaged(key, format string, arguments ...any) error {
	return fmt.Errorf("object %s: %w: %s", key, index.ErrDamaged, fmt.Sprintf(format, arguments...))
}
