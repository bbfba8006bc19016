package searchverbs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mekiki/cmd/mekiki/internal/cli"
	"mekiki/internal/hint"
	"mekiki/internal/progress"
	"mekiki/search/evaluate"
	"mekiki/search/scoring"
)

// chosenCalibration is that of the flags' file, or else the one that searches use.
func chosenCalibration(a *cli.App, engine *cli.Session, flags evalFlags) (*scoring.Calibration, error) {
	if flags.calibration == "" {
		choose := a.ModelCalibration // what is annotated is searched in a library of its own
		if flags.self {
			choose = a.Calibration
		}
		calibration, err := choose(engine)
		return &calibration, err
	}
	const remedy = "give a file that --calibrate wrote"
	data, err := cli.ReadCalibration(flags.calibration)
	if err != nil {
		return nil, err
	}
	calibration, err := scoring.ParseCalibration(data)
	if err != nil {
		return nil, hint.Wrap(fmt.Errorf("%s: %w", flags.calibration, err), remedy)
	}
	if calibration.Version == 0 {
		return nil, hint.Wrap(fmt.Errorf("%s: read calibration: it is of an earlier version", flags.calibration), remedy)
	}
	return &calibration, nil
}

// writeCalibration replaces a file at once, so that nobody reads half of one.
func writeCalibration(name string, calibration scoring.Calibration) error {
	data, err := json.MarshalIndent(calibration, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name+".part", append(data, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".part", name)
}

// selfCalibrate fits the scoring model on the library.
func selfCalibrate(ctx context.Context, a *cli.App, options evaluate.Options, flags evalFlags, reporter *progress.Reporter) error {
	return a.WithVectorsAndModel(ctx, func(library cli.Library, engine *cli.Session) (err error) {
		if options.Calibration, err = chosenCalibration(a, engine, flags); err != nil {
			return err
		}
		fitted, err := evaluate.SelfCalibrate(ctx, library, engine, evaluate.CalibrateOptions{Options: options})
		reporter.Finish()
		if err != nil {
			return explainCaptions(err)
		}
		name := flags.calibrate
		if name == ownFile {
			if name, err = a.LibraryCalibrationFile(engine); err != nil {
				return err
			}
		}
		if err := writeCalibration(name, fitted.Calibration); err != nil {
			return fmt.Errorf("write calibration: %w", err)
		}
		return printSelfCalibration(a, fitted, name)
	})
}

// explainCaptions says how a library gets captions.
func explainCaptions(err error) error {
	if errors.Is(err, evaluate.ErrNoCaptions) || errors.Is(err, evaluate.ErrFewCaptions) {
		return hint.Wrap(err, "index more pictures with a model that writes captions")
	}
	return err
}

func printSelfCalibration(a *cli.App, fitted evaluate.SelfCalibration, name string) error {
	if a.AsJSON {
		return a.PrintJSON(struct {
			evaluate.SelfCalibration
			File string `json:"file"`
		}{fitted, name})
	}
	row := func(label, format string, value func(evaluate.SelfFit) float64) {
		fmt.Fprintf(a.Out, "%-42s "+format+"  "+format+"\n", label, value(fitted.Before), value(fitted.After))
	}
	fmt.Fprintf(a.Out, "fitted to the captions of %s, measured on %d others\n\n%-42s %8s  %8s\n",
		cli.Counted(fitted.Fitted, "image", "images"), fitted.HeldOut, "", "before", "after")
	row("found first by its own text, %", "%8.1f", func(f evaluate.SelfFit) float64 { return f.First })
	row("log loss", "%8.4f", func(f evaluate.SelfFit) float64 { return f.LogLoss })
	row("strong hits that are its own, %", "%8.1f", func(f evaluate.SelfFit) float64 { return f.StrongPrecision })
	row("own pictures that are strong hits, %", "%8.1f", func(f evaluate.SelfFit) float64 { return f.StrongRecall })
	_, err := fmt.Fprintf(a.Out, "\nwritten to %s; searches of this library use it from their next start on\n", name)
	return err
}
