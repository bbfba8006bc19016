package language

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/manifest"
	"mekiki/embed/modelconfig"
	"mekiki/embed/quantize"
)

// WriteEmbeddings writes the token embedding as manifest.EmbeddingsFile has it: in float16 where all its values are exact
// in it, as those of checkpoints that were trained or stored so are, else in float32.
func WriteEmbeddings(ctx context.Context, config modelconfig.Language, source quantize.Weights, to io.Writer) error {
	name := tensors.LanguageEmbedding(config)
	shape, ok := source.Shape(name)
	if !ok || len(shape) != 2 || shape[0] != config.VocabularySize || shape[1] != config.HiddenSize {
		return fmt.Errorf("tensor %s has shape %v, not [%d %d]", name, shape, config.VocabularySize, config.HiddenSize)
	}
	values, err := source.Float32(ctx, name)
	if err != nil {
		return fmt.Errorf("read tensor %s: %w", name, err)
	}
	encode := binary.LittleEndian.AppendUint32
	bits := math.Float32bits
	half := exactInHalf(values)
	const stretch = 1 << 16
	buffer := make([]byte, 0, 4*stretch)
	for len(values) > 0 {
		count := min(len(values), stretch)
		buffer = buffer[:0]
		for _, value := range values[:count] {
			if half {
				short, _ := halfBits(value)
				buffer = binary.LittleEndian.AppendUint16(buffer, short)
			} else {
				buffer = encode(buffer, bits(value))
			}
		}
		if _, err := to.Write(buffer); err != nil {
			return err
		}
		values = values[count:]
	}
	return nil
}

// WriteEmbeddingsFile writes manifest.EmbeddingsFile into the folder dir.
func WriteEmbeddingsFile(ctx context.Context, config modelconfig.Language, source quantize.Weights, dir string) error {
	file, err := os.Create(filepath.Join(dir, manifest.EmbeddingsFile))
	if err != nil {
		return err
	}
	return errors.Join(WriteEmbeddings(ctx, config, source, file), file.Close())
}

func exactInHalf(values []float32) bool {
	for _, value := range values {
		if _, exact := halfBits(value); !exact {
			return false
		}
	}
	return true
}

// halfBits is value as IEEE 754's binary16, and whether it is exactly that.
func halfBits(value float32) (half uint16, exact bool) {
	bits := math.Float32bits(value)
	sign := uint16(bits >> 16 & 0x8000)
	exponent, fraction := int(bits>>23&0xff)-127, bits&0x7fffff
	switch {
	case bits&0x7fffffff == 0:
		return sign, true
	case exponent >= -14 && exponent <= 15:
		return sign | uint16(exponent+15)<<10 | uint16(fraction>>13), fraction&0x1fff == 0
	case exponent >= -24 && exponent < -14: // below the least normal number
		shift := uint(13 - 14 - exponent)
		whole := fraction | 1<<23
		return sign | uint16(whole>>shift), whole&(1<<shift-1) == 0
	}
	return 0, false
}
