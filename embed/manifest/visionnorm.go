package manifest

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
)

// VisionNorm is the affine part of the layer norm that ends a vision encoder, and what comes before it. The published
// checkpoints of both stages share one frozen encoder and differ in this norm alone, which each stage trains.
type VisionNorm struct {
	// Tower identifies what comes before: the SHA-256 of the encoder's other tensors, as float32. The
	// norm's epsilon is no part of it: 1e-5 and 1e-6, which programs disagree about, are both nothing beside the variance of a token.
	Tower string `json:"tower"`
	// Weight and Bias have one number for each feature of an image token.
	Weight Floats `json:"weight"`
	Bias   Floats `json:"bias"`
}

// validate reports a norm that does not fit image tokens of so many features.
func (n *VisionNorm) validate(width int) error {
	if n == nil {
		return nil
	}
	if n.Tower == "" || len(n.Weight) != width || len(n.Bias) != width {
		return fmt.Errorf("vision_norm has %d and %d numbers for %d features", len(n.Weight), len(n.Bias), width)
	}
	return nil
}

// Floats are float32 values, in JSON little-endian in base64.
type Floats []float32

// MarshalJSON implements [json.Marshaler].
func (f Floats) MarshalJSON() ([]byte, error) {
	data := make([]byte, 0, 4*len(f))
	for _, value := range f {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(value))
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(data))
}

// UnmarshalJSON implements [json.Unmarshaler]. Values that are not finite are refused.
func (f *Floats) UnmarshalJSON(text []byte) error {
	var data []byte
	if err := json.Unmarshal(text, &data); err != nil {
		return err
	}
	if len(data)%4 != 0 {
		return errors.New("numbers end in the middle of one")
	}
	values := make(Floats, len(data)/4)
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		if v := float64(values[i]); math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("number %d is not finite", i)
		}
	}
	*f = values
	return nil
}
