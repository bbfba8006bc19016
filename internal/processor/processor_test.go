package processor

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestDescribe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cpuinfo")
	content := "processor\t: 0\nmodel name\t: Some Processor 9\nflags\t\t: fpu avx512_vnni sse avx2\n\nprocessor\t: 1\n"
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	name, features := describe(path)
	if name != "Some Processor 9" || !slices.Equal(features, []string{"avx2", "avx512_vnni"}) {
		t.Errorf("%q, %v", name, features)
	}
	if name, features := describe(path + "-not"); name != "" || features != nil {
		t.Errorf("%q, %v", name, features)
	}
}

func TestHasDotProduct(t *testing.T) {
	if !HasDotProduct([]string{"avx2", "avx512_vnni"}) || !HasDotProduct([]string{"asimddp"}) || HasDotProduct([]string{"avx2", "avx512f"}) || HasDotProduct(nil) {
		t.Error("wrong")
	}
}

func TestDetectedAgreesWithLinux(t *testing.T) {
	_, told := describe("/proc/cpuinfo")
	found := detected()
	if told == nil || found == nil {
		t.Skip("one of the two says nothing here")
	}
	if !slices.Equal(told, found) {
		t.Errorf("Linux says %v, the processor %v", told, found)
	}
}
