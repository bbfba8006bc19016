package segment

import "math"

// halfOf rounds to the nearest IEEE 754 half-precision number, ties to even.
// Numbers beyond its range become infinite.
func halfOf(value float32) uint16 {
	bits := math.Float32bits(value)
	sign := uint16(bits >> 16 & 0x8000)
	exponent := int(bits>>23&0xff) - 127
	mantissa := bits & 0x7fffff
	switch {
	case exponent == 128: // infinite or not a number
		if mantissa != 0 {
			return sign | 0x7e00
		}
		return sign | 0x7c00
	case exponent > 15:
		return sign | 0x7c00
	case exponent >= -14:
		half := uint32(exponent+15)<<10 | mantissa>>13
		return sign | uint16(half+roundUp(mantissa, 13, half))
	case exponent >= -25:
		shift := uint32(-exponent - 1) // to units of 2^-24
		mantissa |= 0x800000
		half := mantissa >> shift
		return sign | uint16(half+roundUp(mantissa, shift, half))
	}
	return sign
}

// roundUp gives 1 when the dropped low bits round the kept value up.
func roundUp(mantissa, dropped, kept uint32) uint32 {
	rest := mantissa & (1<<dropped - 1)
	middle := uint32(1) << (dropped - 1)
	if rest > middle || rest == middle && kept&1 == 1 {
		return 1
	}
	return 0
}

// floatOf gives the value of a half-precision number.
func floatOf(half uint16) float32 {
	sign := uint32(half&0x8000) << 16
	if half&0x7c00 == 0x7c00 {
		return math.Float32frombits(sign | 0x7f800000 | uint32(half&0x3ff)<<13)
	}
	// The bits in place make the number 2^112 times too small, subnormal ones
	// too; the product is exact.
	value := math.Float32frombits(uint32(half&0x7fff)<<13) * 0x1p112
	return math.Float32frombits(math.Float32bits(value) | sign)
}
