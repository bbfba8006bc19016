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
			return appendCUDA(settings, options)
		case "tensorrt":
			return appendTensorRT(settings, options)
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

func appendCUDA(settings *onnxruntime.SessionOptions, options map[string]string) error {
	cuda, err := onnxruntime.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer cuda.Destroy()
	if err := cuda.Update(options); err != nil {
		return err
	}
	return settings.AppendExecutionProviderCUDA(cuda)
}

func appendTensorRT(settings *onnxruntime.SessionOptions, options map[string]string) error {
	tensorrt, err := onnxruntime.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer tensorrt.Destroy()
	if err := tensorrt.Update(options); err != nil {
		return err
	}
	return settings.AppendExecutionProviderTensorRT(tensorrt)
}
