package language

import (
	"math"

	"mekiki/embed/modelconfig"
)

// EncoderBuckets are the buckets of relative positions in T5's encoder for a text of this length, row by row: entry
// (i, j) is that of position j as seen from position i.
func EncoderBuckets(config modelconfig.Language, length int) []int64 {
	buckets := make([]int64, length*length)
	for i := range length {
		for j := range length {
			buckets[i*length+j] = encoderBucket(config, j-i)
		}
	}
	return buckets
}

// DecoderBuckets are the buckets of T5's decoder for a run of so many positions after those before: entry (i, j) is that of
// position j, which is one of all, as seen from the run's position i.
func DecoderBuckets(config modelconfig.Language, before, length int) []int64 {
	total := before + length
	buckets := make([]int64, length*total)
	for i := range length {
		for j := range total {
			buckets[i*total+j] = bucket(config.RelativeBuckets, config.RelativeDistance, max(0, before+i-j))
		}
	}
	return buckets
}

// encoderBucket halves the buckets between what comes before and what comes after.
func encoderBucket(config modelconfig.Language, distance int) int64 {
	half := config.RelativeBuckets / 2
	if distance > 0 {
		return int64(half) + bucket(half, config.RelativeDistance, distance)
	}
	return bucket(half, config.RelativeDistance, -distance)
}

// bucket is the bucket of a distance of 0 or more: one for each of the first half, then ever longer runs, the last for all
// from the largest distance on. The logarithm is computed in float32, as the reference does.
func bucket(count, largest, distance int) int64 {
	exact := count / 2
	if distance < exact {
		return int64(distance)
	}
	share := float32(math.Log(float64(float32(distance)/float32(exact)))) / float32(math.Log(float64(largest)/float64(exact)))
	return int64(min(count-1, exact+int(share*float32(count-exact))))
}
