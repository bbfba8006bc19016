//go:build cgo

package ort

import (
	"errors"
	"fmt"

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
	return hint.Wrap(fmt.Errorf("%w: %s: %w", ErrProvider, name, err),
		fmt.Sprintf("choose cpu, or set %s to a library built with %s", LibraryVariable, name))
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
