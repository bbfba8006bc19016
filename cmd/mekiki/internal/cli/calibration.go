package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"mekiki/internal/bounded"
	"mekiki/internal/hint"
	"mekiki/search/scoring"
)

// LibraryCalibrationFile names the file of the calibration that was fitted on the library for
// a model: in the library's folder, since it belongs to both.
func (a *App) LibraryCalibrationFile(engine *Session) (string, error) {
	folder, err := a.LibraryFolder()
	if err != nil {
		return "", err
	}
	return filepath.Join(folder, "calibration", engine.Space().Fingerprint+".json"), nil
}

// Calibration is the one that was fitted on the library, or else the model's own, or else
// the published rule.
func (a *App) Calibration(engine *Session) (scoring.Calibration, error) {
	if a.Cluster != "" {
		return a.ModelCalibration(engine)
	}
	name, err := a.LibraryCalibrationFile(engine)
	if err != nil {
		return scoring.Calibration{}, err
	}
	data, err := ReadCalibration(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return a.ModelCalibration(engine)
	case err != nil:
		return scoring.Calibration{}, err
	}
	calibration, err := a.parseCalibration(data, name)
	if err != nil {
		return scoring.Calibration{}, hint.Wrap(err, "fit it again with: mekiki eval --self --calibrate; or remove the file")
	}
	return calibration, nil
}

// ModelCalibration is the model's own, or else the published rule.
func (a *App) ModelCalibration(engine *Session) (scoring.Calibration, error) {
	return a.parseCalibration(engine.Manifest().Calibration, "model "+engine.Name)
}

func (a *App) parseCalibration(data []byte, name string) (scoring.Calibration, error) {
	calibration, err := scoring.ParseCalibration(data)
	if err != nil {
		return scoring.Calibration{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > 0 && calibration.Version == 0 {
		a.Log().Warn("the calibration is of an earlier version, so the published rule ranks; fit it again with: mekiki eval --self --calibrate", "of", name)
	}
	return calibration, nil
}

// ReadCalibration reads the file of a calibration, of at most 1 MiB.
func ReadCalibration(name string) ([]byte, error) { return bounded.ReadFile(name, maximumCalibration) }
