//go:build cgo

package ort

import (
	"fmt"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"mekiki/internal/hint"
)

// appendProvider selects an execution provider; "cpu" is always there.
func appendProvider(settings *onnxruntime.SessionOptions, name string, options map[string]string) error {
	var err error
	switch name {
	case "cpu":
		return nil
	case "cuda":
		err = appendCUDA(settings, options)
	case "tensorrt":
		err = appendTensorRT(settings, options)
	case "coreml":
		err = settings.AppendExecutionProviderCoreMLV2(options)
	case "directml":
		err = settings.AppendExecutionProviderDirectML(0)
	case "openvino":
		err = settings.AppendExecutionProviderOpenVINO(options)
	default:
		err = settings.AppendExecutionProvider(name, options)
	}
	if err == nil {
		return nil
	}
	return hint.Wrap(fmt.Errorf("%w: %s: %w", ErrProvider, name, err),
		fmt.Sprintf("choose cpu, or set %s to a library built with %s", LibraryVariable, name))
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
