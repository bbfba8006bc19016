package progress

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// Count writes a number with its unit: bytes in decimal multiples ("11.3 MB"),
// other units as they are ("640 images").
func Count(number int64, unit Unit) string {
	switch {
	case unit != Bytes && number == 1:
		return "1 " + strings.TrimSuffix(string(unit), "s")
	case unit != Bytes:
		return fmt.Sprintf("%d %s", number, unit)
	}
	return byteCount(float64(number))
}

// countText writes how much is done, and of how much where that is known: "3 of
// 5 images", "1.2 MB of 3.0 MB".
func countText(state State) string {
	switch {
	case state.Total <= 0:
		return Count(state.Done, state.Unit)
	case state.Unit == Bytes:
		return Count(state.Done, Bytes) + " of " + Count(state.Total, Bytes)
	}
	return fmt.Sprintf("%d of %s", state.Done, Count(state.Total, state.Unit))
}

// Duration writes a time as people say it: "8s", "3m20s", "2h05m".
func Duration(duration time.Duration) string {
	seconds := int64(math.Ceil(duration.Seconds()))
	switch {
	case seconds < 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm%02ds", seconds/60, seconds%60)
	default:
		return fmt.Sprintf("%dh%02dm", seconds/3600, seconds%3600/60)
	}
}

func byteCount(number float64) string {
	for _, step := range []struct {
		size float64
		name string
	}{{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}} {
		if number >= step.size {
			return fmt.Sprintf("%.1f %s", number/step.size, step.name)
		}
	}
	return fmt.Sprintf("%.0f B", number)
}

func rateText(rate float64, unit Unit) string {
	switch {
	case unit == Bytes:
		return byteCount(rate)
	case rate >= 10:
		return fmt.Sprintf("%.0f", rate)
	default:
		return fmt.Sprintf("%.2g", rate)
	}
}

func terminalWidth(writer io.Writer) int {
	if file, ok := writer.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 10 {
			return width
		}
	}
	return 80
}

func shorten(text string, width int) string {
	runes := []rune(text)
	if len(runes) <= width {
		return text
	}
	return string(runes[:max(width-1, 0)]) + "…"
}
