//go:build cgo

package ort

import (
	"errors"
	"fmt"
	goruntime "runtime"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"mekiki/internal/hint"
)

// appendProvider selects an execution provider; "cpu" is always there.
func appendProvider(settings *onnxruntime.SessionOptions, name string, options map[string]string) error {
	if name == "cpu" {
		return nil
	}
	err := quietly(func() error {
		switch name {
		case "cuda":
			return appendTyped(options, onnxruntime.NewCUDAProviderOptions, settings.AppendExecutionProviderCUDA)
		case "tensorrt":
			return appendTyped(options, onnxruntime.NewTensorRTProviderOptions, settings.AppendExecutionProviderTensorRT)
		case "coreml":
			return settings.AppendExecutionProviderCoreMLV2(options)
		case "directml":
			return settings.AppendExecutionProviderDirectML(0)
		case "openvino":
			return settings.AppendExecutionProviderOpenVINO(options)
		default:
			return settings.AppendExecutionProvider(name, options)
		}
	})
	if err == nil {
		return nil
	}
	return hint.Wrap(fmt.Errorf("%w: %s needs %s: %w", ErrProvider, name, providerNeeds(name, goruntime.GOOS), err), providerRemedy(name, goruntime.GOOS))
}

// providerNeeds says what a provider takes that is missing here, as far as that is known.
func providerNeeds(name, system string) string {
	switch {
	case name == "cuda":
		return "an NVIDIA GPU with its driver, the CUDA and cuDNN libraries, and an ONNX Runtime built for them"
	case name == "tensorrt":
		return "an NVIDIA GPU with its driver, the CUDA, cuDNN and TensorRT libraries, and an ONNX Runtime built for them"
	case name == "coreml" && system != "darwin":
		return "macOS"
	case name == "coreml":
		return "an ONNX Runtime built with CoreML"
	case name == "directml" && system != "windows":
		return "Windows"
	case name == "directml":
		return "a GPU with DirectX 12 and an ONNX Runtime built with DirectML"
	case name == "openvino":
		return "the OpenVINO libraries and an ONNX Runtime built for them"
	}
	return "an ONNX Runtime that has a provider of this name"
}

// providerRemedy says what to do where a provider is missing: where its build of the runtime is found, or to do without.
func providerRemedy(name, system string) string {
	build := ""
	switch {
	case name == "cuda" || name == "tensorrt":
		build = "the archive for GPUs of ONNX Runtime's releases, or Python's onnxruntime-gpu"
	case name == "directml" && system == "windows":
		build = "the NuGet package Microsoft.ML.OnnxRuntime.DirectML"
	case name == "openvino":
		build = "Python's onnxruntime-openvino, or the NuGet package Intel.ML.OnnxRuntime.OpenVino"
	case name == "coreml" && system == "darwin":
		build = "the archive for macOS of ONNX Runtime's releases"
	case name == "coreml" || name == "directml":
		return "leave --provider out: the processor is used then"
	default:
		return "leave --provider out: the processor is used then; others are cuda, tensorrt, coreml, directml and openvino"
	}
	return fmt.Sprintf("leave --provider out, and the processor is used; or name such a library with --runtime or %s: it is in %s", LibraryVariable, build)
}

// quietly keeps the runtime from also writing to standard error what do returns.
func quietly(do func() error) error {
	environment.Lock()
	defer environment.Unlock()
	if err := onnxruntime.SetEnvironmentLogLevel(onnxruntime.LoggingLevelFatal); err != nil {
		return err
	}
	err := do()
	return errors.Join(err, onnxruntime.SetEnvironmentLogLevel(onnxruntime.LoggingLevelError))
}

// providerOptions are those of a provider that the runtime has a type for.
type providerOptions interface {
	Update(options map[string]string) error
	Destroy() error
}

// appendTyped makes a provider's options, sets them and appends it.
func appendTyped[P providerOptions](options map[string]string, create func() (P, error), appendTo func(P) error) error {
	provider, err := create()
	if err != nil {
		return err
	}
	defer provider.Destroy()
	if err := provider.Update(options); err != nil {
		return err
	}
	return appendTo(provider)
}
