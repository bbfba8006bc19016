//go:build cgo

package ort

import (
	"fmt"
	"os"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// telemetryVariable is the environment variable that turns ONNX Runtime's
// telemetry off when its value is "1".
const telemetryVariable = "ORT_DISABLE_TELEMETRY"

// disableTelemetry keeps the library that is loaded next from collecting telemetry,
// whatever the environment says so far.
//
// Since release 1.29 the official builds for other systems than Windows have it
// on. Making an environment then writes an identifier and a queue of events into
// the user's cache folder (Microsoft/DeveloperTools), starts an uploader, and runs
// regular expressions over the process's command line. These recurse for every
// byte: some 40 kB of arguments, such as 1,500 file names, overflow the 8 MiB
// stack of a thread. All of that happens before the interface's own switch can be
// reached (see disableEnvironmentTelemetry), so only the variable prevents it. The library
// reads it with getenv, which sees what os.Setenv sets in a program with cgo.
func disableTelemetry() error {
	if os.Getenv(telemetryVariable) == "1" {
		return nil
	}
	if err := os.Setenv(telemetryVariable, "1"); err != nil {
		return fmt.Errorf("turn telemetry of ONNX Runtime off: %w", err)
	}
	return nil
}

// disableEnvironmentTelemetry turns telemetry off in the environment that was made: what
// Windows builds heed, and releases that do not know the variable. Builds without
// telemetry answer that they have none, which is as good.
func disableEnvironmentTelemetry() { _ = onnxruntime.DisableTelemetry() }
