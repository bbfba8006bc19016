// Package likeness says how alike two whole pictures are, by the vectors of their parts.
package likeness

import (
	"slices"

	"mekiki/embed"
)

// Of is the symmetric mean of the largest cosines of two pictures' parts, -1 to 1; -1
// where one has none.
func Of(a, b embed.Parts) float64 {
	value, _ := AtLeast(a, b, -1)
	return value
}

// AtLeast is [Of] where it is at least a given value, and false as soon
// as it cannot be: no cosine is above 1.
func AtLeast(a, b embed.Parts, least float64) (float64, bool) {
	if a.Count == 0 || b.Count == 0 || a.Width != b.Width {
		return -1, least <= -1
	}
	// The halves make up the mean, so with 1 for b's this is what a's may lack.
	// Vectors are of length one but for what half precision and its checks allow.
	const longest = 1.05
	spare := float64(a.Count) * 2 * (longest - least)
	bestA := slices.Repeat([]float32{-1}, a.Count)
	bestB := slices.Repeat([]float32{-1}, b.Count)
	for i := range a.Count {
		row := a.Row(i)
		for j := range b.Count {
			cosine := dot(row, b.Row(j))
			bestA[i] = max(bestA[i], cosine)
			bestB[j] = max(bestB[j], cosine)
		}
		if spare -= longest - float64(bestA[i]); spare < 0 {
			return -1, false
		}
	}
	value := (mean(bestA) + mean(bestB)) / 2
	return value, value >= least
}

// Mean joins the likenesses of one picture to several others: that of a picture which has what they
// have in common is high to each of them.
func Mean(likenesses []float64) float64 {
	sum := 0.0
	for _, value := range likenesses {
		sum += value
	}
	return sum / float64(max(len(likenesses), 1))
}

func mean(values []float32) float64 {
	sum := 0.0
	for _, value := range values {
		sum += float64(value)
	}
	return sum / float64(len(values))
}

// dot is the inner product of two vectors of one length, in four sums so that
// the additions need not wait for each other.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}
