package lm

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mekiki/embed/manifest"
	"mekiki/embed/ort"
)

// stepLayout is where the graph of a language model's step takes and gives what.
type stepLayout struct {
	inputs, outputs []port
	layers          int
	heads, width    int // of keys and values
	vocabulary      int
	encoded         bool // keys and values of T5's encoder are read
}

// port is one input or output: its name without the number of the layer, and the number.
type port struct {
	prefix string
	layer  int
}

func (p port) String() string {
	if p.layer < 0 {
		return p.prefix
	}
	return p.prefix + strconv.Itoa(p.layer)
}

// layered are the names that carry the number of a layer.
var layered = []string{
	manifest.PastKeyPrefix, manifest.PastValuePrefix, manifest.PresentKeyPrefix, manifest.PresentValuePrefix,
	manifest.EncodedKeyPrefix, manifest.EncodedValuePrefix,
}

func portOf(name string) port {
	for _, prefix := range layered {
		if number, found := strings.CutPrefix(name, prefix); found {
			if layer, err := strconv.Atoi(number); err == nil && layer >= 0 {
				return port{prefix, layer}
			}
		}
	}
	return port{name, -1}
}

func ports(values []ort.Value) []port {
	list := make([]port, len(values))
	for i, value := range values {
		list[i] = portOf(value.Name)
	}
	return list
}

// newStepLayout reads a step's signature.
func newStepLayout(step manifest.Signature) (stepLayout, error) {
	layout := stepLayout{inputs: ports(step.Inputs), outputs: ports(step.Outputs)}
	for i, value := range step.Inputs {
		switch layout.inputs[i].prefix {
		case manifest.PastKeyPrefix:
			if len(value.Shape) != 4 {
				return stepLayout{}, fmt.Errorf("%s has shape %v", value.Name, value.Shape)
			}
			layout.layers++
			layout.heads, layout.width = int(value.Shape[1]), int(value.Shape[3])
		case manifest.EncodedKeyPrefix:
			layout.encoded = true
		}
	}
	for _, value := range step.Outputs {
		if value.Name == manifest.LogitsName {
			layout.vocabulary = int(value.Shape[len(value.Shape)-1])
		}
	}
	if layout.layers < 1 || layout.heads < 1 || layout.width < 1 || layout.vocabulary < 1 {
		return stepLayout{}, errors.New("the graph of the language model's step has no keys, values or logits of a known size")
	}
	for _, p := range append(layout.inputs, layout.outputs...) {
		if p.layer >= layout.layers {
			return stepLayout{}, fmt.Errorf("%v is of no layer of %d", p, layout.layers)
		}
	}
	return layout, nil
}

// rowBytes is the memory of a row's keys and values with room for so many positions.
func (l stepLayout) rowBytes(capacity int) int64 {
	return 2 * 4 * int64(l.layers) * int64(l.heads) * int64(capacity) * int64(l.width)
}

// tensors lists what a graph takes or gives in its order, by what find gives for each port.
func tensors(list []port, find func(port) (ort.Tensor, bool)) ([]ort.Tensor, error) {
	result := make([]ort.Tensor, len(list))
	for i, p := range list {
		tensor, ok := find(p)
		if !ok {
			return nil, fmt.Errorf("nothing is known of the graph's %v", p)
		}
		result[i] = tensor
	}
	return result, nil
}
