package cli

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
)

// OpenFile opens a file or an address in the system's viewer.
func OpenFile(ctx context.Context, path string) error {
	name, arguments := "xdg-open", []string{path}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, arguments = "rundll32", []string{"url.dll,FileProtocolHandler", path}
	}
	if err := exec.CommandContext(ctx, name, arguments...).Run(); err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	return nil
}
