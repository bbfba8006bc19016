// Package manifest describes compiled models: a folder of ONNX graphs, their
// weights, a vocabulary and model.json, the manifest, which names the sizes, the
// precision and the hash of every other file.
//
//	model.json   vision.onnx  vision.bin    the vision encoder and its weights
//	vocab.txt    text.onnx    qformer.bin   the other graphs share one file of weights
//
// What the graphs are called, and what they read and give, is the same for all
// architectures.
package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mekiki/embed/modelconfig"
	"mekiki/internal/bounded"
	"mekiki/internal/hint"
)

// currentFormat is the version of the manifest and of the graphs' contract.
const currentFormat = 1

// Precision says how a model's matrix products are computed.
type Precision string

// The precisions of a model.
const (
	// Float32 computes as the reference does.
	Float32 Precision = "fp32"
	// Int8 stores weights as signed 8-bit integers with one scale for each
	// output and quantises activations while running; layers that lose too
	// much by it stay in float32.
	Int8 Precision = "int8"
	// Int4 is Int8 whose language model stores what it reads at every token in 4-bit
	// integers with a scale for each block of 32, but for its head, and where that loses
	// too much.
	Int4 Precision = "int4"
	// Half computes products and attention in half precision and everything else in
	// float32, for providers that do the former faster. Of a language model it computes
	// products only. Not for models that translate.
	Half Precision = "fp16"
)

// Suits reports whether a first stage, or a model with a language model, can be had in this precision.
func (p Precision) Suits(language bool) bool {
	return p == Float32 || p == Int8 || p == Int4 && language || p == Half
}

// Sampled reports whether samples are run to choose how each product is computed.
func (p Precision) Sampled() bool { return p == Int8 || p == Int4 }

// Manifest describes a compiled model. It is what model.json holds.
type Manifest struct {
	// Format is the version of the folder's layout.
	Format int `json:"format"`
	// Family is the architecture; FirstFamily when empty.
	Family string `json:"family,omitempty"`
	// Name is what the checkpoint called itself.
	Name string `json:"name"`
	// Precision is how the matrix products are computed.
	Precision Precision `json:"precision"`
	// Config has every size of the model.
	Config modelconfig.Config `json:"config"`
	// HasCaptionHead reports whether the caption graphs are there.
	HasCaptionHead bool `json:"has_caption_head"`
	// Files lists every other file of the folder, by name.
	Files []File `json:"files"`
	// Fingerprint identifies the model: the SHA-256 of everything above.
	Fingerprint string `json:"fingerprint"`
	// Vision identifies the checkpoint's vision encoder: the SHA-256 of its tensors, the
	// final layer norm included, as float32. Models of the same one read each other's
	// image tokens. It is empty in models of earlier versions.
	Vision string `json:"vision,omitempty"`
	// VisionNorm is that layer norm apart: models that differ in it alone read each other's
	// image tokens once the one norm is taken off and the other put on. It is missing in models of earlier versions.
	VisionNorm *VisionNorm `json:"vision_norm,omitempty"`
	// Calibration is the checkpoint's calibration.json, if it had one: how raw
	// scores become probabilities.
	Calibration json.RawMessage `json:"calibration,omitempty"`
	// Quantization tells for each matrix product how it is computed; int8 only.
	Quantization []LayerChoice `json:"quantization,omitempty"`
	// SelfCheck compares the model with float32 on sample inputs; int8 only.
	SelfCheck *SelfCheck `json:"self_check,omitempty"`
}

// Fast reports whether the model's vision encoder merges tokens.
func (m Manifest) Fast() bool { return m.Config.Vision.Merged > 0 }

// Form says in a few words how the model was compiled, as in "int8, fast".
func (m Manifest) Form() string {
	if m.Fast() {
		return string(m.Precision) + ", fast"
	}
	return string(m.Precision)
}

// File is one file of a model folder.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // hexadecimal
}

// LayerChoice tells how one matrix product is computed.
type LayerChoice struct {
	Layer string `json:"layer"`
	// Method is "int8" (one activation scale for each run), "int8_rows" (one for
	// each row), "int8_blocks" (one for each row and block of features), "int8_wide_blocks" (the same
	// with wider blocks), "int4_blocks" (with weights of 4 bits), or "fp32".
	Method string `json:"method"`
	// Error is the quantised product's error on the samples, relative to what
	// tells the product's rows apart, as root mean squares.
	Error float64 `json:"error"`
}

// Read reads and checks the manifest of the model in folder dir. The
// files themselves are not read; see [Manifest.Verify].
func Read(dir string) (Manifest, error) {
	path := filepath.Join(dir, FileName)
	content, err := bounded.ReadFile(path, maximumBytes)
	if err != nil {
		return Manifest{}, hint.Wrap(fmt.Errorf("read model: %w", err), remedy)
	}
	manifest, err := Parse(content)
	if err != nil {
		return Manifest{}, hint.Wrap(fmt.Errorf("read model %s: %w", path, err), remedy)
	}
	return manifest, nil
}

// Parse decodes and checks a manifest.
func Parse(content []byte) (Manifest, error) {
	if len(content) > maximumBytes {
		return Manifest{}, fmt.Errorf("manifest exceeds %d bytes", maximumBytes)
	}
	var manifest Manifest
	if err := json.Unmarshal(content, &manifest); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	if err := manifest.Validate(); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	return manifest, nil
}

// Validate reports everything that is wrong with the manifest itself.
func (m Manifest) Validate() error {
	var problems []error
	if m.Format != currentFormat {
		problems = append(problems, fmt.Errorf("format %d is not %d", m.Format, currentFormat))
	}
	if !m.Precision.Suits(m.Config.Language != nil) {
		problems = append(problems, fmt.Errorf("unknown precision %q", m.Precision))
	}
	if err := m.Config.ValidateSizes(); err != nil {
		problems = append(problems, err)
	}
	names := map[string]bool{}
	for _, file := range m.Files {
		if !plainName(file.Name) || names[file.Name] || file.Size < 0 {
			problems = append(problems, fmt.Errorf("file %q is not acceptable", file.Name))
		}
		names[file.Name] = true
	}
	if err := m.VisionNorm.validate(m.Config.Vision.HiddenSize); err != nil {
		problems = append(problems, err)
	}
	problems = append(problems, m.missingFiles()...)
	if want := m.fingerprint(); m.Fingerprint != want {
		problems = append(problems, errors.New("fingerprint does not fit the content"))
	}
	return errors.Join(problems...)
}

// plainName reports whether name is a file name without any folder.
func plainName(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\\\x00") && name != FileName
}

// fingerprint hashes what decides the model's results.
func (m Manifest) fingerprint() string {
	m.Files = slices.Clone(m.Files)
	slices.SortFunc(m.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	content, err := json.Marshal(struct {
		Format    int
		Precision Precision
		Config    modelconfig.Config
		Files     []File
	}{m.Format, m.Precision, m.fingerprintConfig(), m.Files})
	if err != nil { // only for a NaN in Config, which JSON cannot hold
		return ""
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// fingerprintConfig is the configuration without its name: renaming a model
// does not make its vectors incomparable.
func (m Manifest) fingerprintConfig() modelconfig.Config {
	config := m.Config
	config.Name = ""
	return config
}

// Write completes the manifest with its fingerprint and writes it.
func Write(dir string, manifest Manifest) (Manifest, error) {
	slices.SortFunc(manifest.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	manifest.Format = currentFormat
	manifest.Fingerprint = manifest.fingerprint()
	if err := manifest.Validate(); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	content, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	file, err := os.Create(filepath.Join(dir, FileName))
	if err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	_, err = file.Write(append(content, '\n'))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	return manifest, nil
}
