// Package processor says what this machine computes with, as far as the speed and
// the exactness of int8 arithmetic depend on it.
package processor

import (
	"bufio"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// gains are the instructions that int8 arithmetic gains from, as Linux names them,
// in the order in which Features lists them.
var gains = []string{
	"avx2", "avx512f", "avx_vnni", "avx512_vnni", "amx_int8", // x86-64
	"asimddp", "i8mm", "sve", // arm64
}

// dots are those that multiply and add 8-bit integers in one step, without
// saturating between.
var dots = []string{"avx_vnni", "avx512_vnni", "amx_int8", "asimddp", "i8mm"}

// Name is the processor's name, "" where the system does not tell.
func Name() string {
	name, _ := describe("/proc/cpuinfo")
	return name
}

// Features lists the instructions of this processor that int8 arithmetic gains
// from, in a fixed order, with the names that Linux gives them; nil where the
// system does not tell.
func Features() []string {
	if _, features := describe("/proc/cpuinfo"); features != nil {
		return features
	}
	return detected()
}

// HasDotProduct reports whether features hold an instruction that multiplies and
// adds 8-bit integers exactly. Without one, int8 models are hardly faster than
// fp32 and may be less exact.
func HasDotProduct(features []string) bool {
	return slices.ContainsFunc(features, func(feature string) bool { return slices.Contains(dots, feature) })
}

// detected asks the processor itself, on x86-64.
func detected() []string {
	var features []string
	for _, found := range []struct {
		name string
		has  bool
	}{
		{"avx2", cpu.X86.HasAVX2}, {"avx512f", cpu.X86.HasAVX512F}, {"avx_vnni", cpu.X86.HasAVXVNNI},
		{"avx512_vnni", cpu.X86.HasAVX512VNNI}, {"amx_int8", cpu.X86.HasAMXInt8},
	} {
		if found.has {
			features = append(features, found.name)
		}
	}
	return features
}

// describe reads what Linux tells of the first processor.
func describe(path string) (name string, features []string) {
	file, err := os.Open(path)
	if err != nil {
		return "", nil
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		switch strings.TrimSpace(key) {
		case "model name":
			name = strings.TrimSpace(value)
		case "flags", "Features":
			listed := strings.Fields(value)
			for _, gain := range gains {
				if slices.Contains(listed, gain) {
					features = append(features, gain)
				}
			}
			return name, features
		}
	}
	return name, features
}
