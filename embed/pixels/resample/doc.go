// Package resample changes one side of a picture of RGB pixels with a bicubic filter,
// equal to the bit to Pillow's: its weights are in fixed point, and the sums are those
// of vector instructions where the processor has them.
package resample
