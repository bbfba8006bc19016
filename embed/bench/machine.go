package bench

import (
	"runtime"

	"mekiki/embed/ort"
	"mekiki/internal/processor"
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
	machine.Processor, machine.Features = processor.Name(), processor.Features()
	return machine
}
