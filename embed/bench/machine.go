package bench

import (
	"bufio"
	"os"
	"runtime"
	"strings"

	"mekiki/embed/ort"
)

// Machine is where the figures were measured.
type Machine struct {
	Processor  string `json:"processor"` // its name, "" where the system does not tell
	Processors int    `json:"processors"`
	System     string `json:"system"` // such as linux/amd64
	Go         string `json:"go"`
	Runtime    string `json:"onnxruntime"`
	// Features are the processor's instructions that int8 gains from, where the
	// system tells.
	Features []string `json:"features,omitempty"`
}

func thisMachine(library *ort.Runtime) Machine {
	machine := Machine{
		Processors: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Runtime: library.Version(),
	}
	machine.Processor, machine.Features = describeProcessor("/proc/cpuinfo")
	return machine
}

// gains are the instructions that speed up int8, as Linux names them.
var gains = map[string]bool{
	"avx2": true, "avx512f": true, "avx512_vnni": true, "avx_vnni": true, "amx_int8": true, // x86-64
	"asimddp": true, "i8mm": true, "sve": true, // arm64
}

// describeProcessor reads what Linux tells of the first processor.
func describeProcessor(path string) (name string, features []string) {
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
			for _, feature := range strings.Fields(value) {
				if gains[feature] {
					features = append(features, feature)
				}
			}
			return name, features
		}
	}
	return name, features
}
