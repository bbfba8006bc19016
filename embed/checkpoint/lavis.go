package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mekiki/embed/checkpoint/tensors"
	"mekiki/embed/checkpoint/weights"
	"mekiki/internal/hint"
)

// openTorchFiles opens LAVIS files given by their paths. A config.json may be among them.
func openTorchFiles(paths []string) (_ *source, err error) {
	const most = 5
	if len(paths) > most {
		return nil, fmt.Errorf("%d files given; a checkpoint has at most two, a %s and a folder with its language model", len(paths), configFile)
	}
	s := &source{lavis: true, name: strings.Join(paths, " with ")}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			if err := s.addLanguageModel(path); err != nil {
				return nil, err
			}
			continue
		}
		if s.folder == nil {
			s.folder = os.DirFS(filepath.Dir(path))
		}
		if filepath.Ext(path) == ".json" {
			if s.config, err = readSmall(os.DirFS(filepath.Dir(path)), filepath.Base(path)); err != nil {
				return nil, err
			}
			continue
		}
		if filepath.Ext(path) == ".safetensors" {
			return nil, hint.Wrap(fmt.Errorf("%s is one file of a Hugging Face checkpoint", path), "name its folder: "+filepath.Dir(path))
		}
		reader, size, err := s.openPath(path)
		if err != nil {
			return nil, err
		}
		if err := s.addLavis(reader, size, path); err != nil {
			return nil, err
		}
	}
	if s.folder == nil {
		return nil, errors.New("only folders given; name one Hugging Face folder, or LAVIS .pth files and one folder with their language model")
	}
	return s, nil
}

// addLanguageModel adds a language model's own folder, such as that of facebook/opt-2.7b.
func (s *source) addLanguageModel(path string) (err error) {
	if s.languageFolder != nil {
		return errors.New("two folders given; name one Hugging Face folder, or LAVIS .pth files and one folder with their language model")
	}
	s.languageFolder = os.DirFS(path)
	if exists(s.languageFolder, configFile) {
		s.language, err = s.readWeights(s.languageFolder, path)
		return err
	}
	return hint.Wrap(fmt.Errorf("%s has no %s", path, configFile), "beside LAVIS .pth files name the folder of their language model, such as that of google/flan-t5-xl")
}

// openPath opens a regular file and returns its size.
func (s *source) openPath(path string) (io.ReaderAt, int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	s.closers = append(s.closers, file)
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a regular file; give one Hugging Face folder or .pth files", path)
	}
	return file, info.Size(), nil
}

// addLavis adds the tensors of one LAVIS file. The main file gives the model its name.
func (s *source) addLavis(reader io.ReaderAt, size int64, path string) error {
	stored, err := weights.ReadTorch(reader, size, filepath.Base(path))
	if err != nil {
		return err
	}
	separate := isVisionFile(stored)
	if separate {
		s.vision = append(s.vision, stored...)
	}
	if !separate || s.base == "" {
		s.base = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	}
	s.tensors = append(s.tensors, stored...)
	return nil
}

// isVisionFile reports whether a file holds a vision encoder alone, as eva_vit_g.pth and clip_vit_L.pth do.
func isVisionFile(stored []*weights.Tensor) bool {
	vision := false
	for _, tensor := range stored {
		name := tensors.CanonicalName(tensor.Name)
		if name == "query_tokens" || strings.HasPrefix(name, "qformer.") {
			return false
		}
		vision = vision || tensors.OfVisionEncoder(name)
	}
	return vision
}
