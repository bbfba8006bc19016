package hub

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"mekiki/internal/hint"
)

// Model is a published checkpoint that can be pulled by name.
type Model struct {
	// Name is what pull takes.
	Name string
	// Description says in one sentence what it is.
	Description string
	// Repository is the Hugging Face repository, or empty.
	Repository string
	// LavisFiles are the names of files in LAVIS's storage, the main one first.
	LavisFiles []string
	// ImageSize is the side of the square input in pixels.
	ImageSize int
	// Captions is set when the checkpoint holds the captioning head.
	Captions bool
	// Answers is set for a second stage: a language model that answers and describes, and does not search.
	Answers bool
	// Translates is set for a model that puts texts of one language into another.
	Translates bool
	// Words is set for models that read the words in pictures. They are used as they are, and not imported.
	Words bool
	// Addresses are the files of a model that lies in no repository.
	Addresses []Address
	// ApproximateBytes is the download's size as published.
	ApproximateBytes int64
	// Licence is what the weights may be used for.
	Licence Licence
}

// Address is a file on the web, and the SHA-256 that it must have, in hexadecimal.
type Address struct{ URL, SHA256 string }

// Licence is the terms of published weights.
type Licence struct {
	// Name is the licence's.
	Name string
	// Terms says in one sentence what it demands beyond naming the authors; empty for one that allows any use.
	Terms string
	// Address is where it can be read.
	Address string
}

// Restricted reports whether the licence forbids some uses, so that it must be accepted.
func (l Licence) Restricted() bool { return l.Terms != "" }

// vocabularyRepository has the vocabulary that LAVIS's files lack.
const vocabularyRepository = "Salesforce/blip2-itm-vit-g"

// Models lists the checkpoints that can be pulled by name: those that search first.
func Models() []Model {
	return slices.Concat(firstStages(), secondStages(), translators(), []Model{words()})
}

func firstStages() []Model {
	lavis := Licence{Name: "BSD-3-Clause", Address: "https://github.com/salesforce/LAVIS/blob/main/LICENSE.txt"}
	hub := Licence{Name: "MIT", Address: "https://huggingface.co/Salesforce/blip2-itm-vit-g"}
	return []Model{
		{
			Name: "blip2", Description: "BLIP-2 with ViT-g, pretrained: similarity, matching and captions.",
			LavisFiles: []string{"blip2_pretrained.pth", "eva_vit_g.pth"}, ImageSize: 224, Captions: true, ApproximateBytes: 2_780_000_000, Licence: lavis,
		},
		{
			Name: "blip2-coco", Description: "BLIP-2 with ViT-g, finetuned for retrieval on COCO: similarity, matching and captions.",
			LavisFiles: []string{"blip2_finetune_coco.pth"}, ImageSize: 364, Captions: true, ApproximateBytes: 4_800_000_000, Licence: lavis,
		},
		{
			Name: "blip2-itm-vit-g", Description: "BLIP-2 with ViT-g, pretrained, in Hugging Face form: similarity and matching.",
			Repository: "Salesforce/blip2-itm-vit-g", ImageSize: 224, ApproximateBytes: 4_688_000_000, Licence: hub,
		},
		{
			Name: "blip2-itm-vit-g-coco", Description: "BLIP-2 with ViT-g, finetuned for retrieval on COCO, in Hugging Face form: similarity and matching.",
			Repository: "Salesforce/blip2-itm-vit-g-coco", ImageSize: 364, ApproximateBytes: 4_691_000_000, Licence: hub,
		},
		{
			Name: "blip2-vit-l", Description: "BLIP-2 with CLIP's ViT-L, pretrained: smaller and faster; similarity, matching and captions.",
			LavisFiles: []string{"blip2_pretrained_vitL.pth", "clip_vit_L.pth"}, ImageSize: 224, Captions: true, ApproximateBytes: 2_000_000_000, Licence: lavis,
		},
	}
}

// secondStages lists the models that answer, the recommended one first. A licence is the stricter of the language model's
// and the data's; the repositories' own labels name neither.
func secondStages() []Model {
	flan := Licence{Name: "Apache-2.0", Address: "https://huggingface.co/google/flan-t5-xl"}
	opt := Licence{Name: "OPT-175B licence", Terms: "Meta's licence for OPT allows research and no commercial use.",
		Address: "https://github.com/facebookresearch/metaseq/blob/main/projects/OPT/MODEL_LICENSE.md"}
	instruct := Licence{Name: "CC BY-NC 4.0 (data)", Terms: "InstructBLIP was trained on LLaVA's data, which allow research and no commercial use.",
		Address: "https://huggingface.co/Salesforce/instructblip-flan-t5-xl"}
	vicuna := Licence{Name: "LLaMA licence", Terms: "Vicuna, made from LLaMA, and the data that InstructBLIP was trained on allow research and no commercial use.",
		Address: "https://huggingface.co/Salesforce/instructblip-vicuna-7b"}
	second := func(name, description string, size int, bytes int64, licence Licence) Model {
		return Model{Name: name, Description: description, Repository: "Salesforce/" + name, ImageSize: size, Answers: true,
			ApproximateBytes: bytes, Licence: licence}
	}
	return []Model{
		second("blip2-flan-t5-xl", "BLIP-2 with Flan-T5 XL: answers and descriptions. The recommended one.", 224, 15_770_000_000, flan),
		second("blip2-flan-t5-xl-coco", "The same, finetuned for captions on COCO.", 364, 15_772_000_000, flan),
		second("blip2-flan-t5-xxl", "BLIP-2 with Flan-T5 XXL: the best answers, the largest.", 224, 48_919_000_000, flan),
		second("blip2-opt-2.7b", "BLIP-2 with OPT 2.7B: answers and descriptions.", 224, 14_979_000_000, opt),
		second("blip2-opt-2.7b-coco", "The same, finetuned for captions on COCO.", 364, 14_982_000_000, opt),
		second("blip2-opt-6.7b", "BLIP-2 with OPT 6.7B: answers and descriptions.", 224, 31_012_000_000, opt),
		second("blip2-opt-6.7b-coco", "The same, finetuned for captions on COCO.", 364, 31_014_000_000, opt),
		second("instructblip-flan-t5-xl", "InstructBLIP with Flan-T5 XL: follows instructions.", 224, 16_092_000_000, instruct),
		second("instructblip-vicuna-7b", "InstructBLIP with Vicuna 7B: follows instructions, answers at length.", 224, 31_650_000_000, vicuna),
	}
}

// translators lists models that translate queries into English, and captions out of it: those of OPUS-MT
// (https://github.com/Helsinki-NLP/Opus-MT) for the languages that most people write. Any other can be pulled by its repository.
func translators() []Model {
	const bytes = 310_000_000
	var list []Model
	for _, one := range []struct{ pair, description, licence string }{
		{"ja-en", "Japanese into English", "Apache-2.0"}, {"zh-en", "Chinese into English", "CC-BY-4.0"},
		{"ko-en", "Korean into English", "Apache-2.0"}, {"de-en", "German into English", "Apache-2.0"},
		{"fr-en", "French into English", "Apache-2.0"}, {"es-en", "Spanish into English", "Apache-2.0"},
		{"it-en", "Italian into English", "Apache-2.0"}, {"ru-en", "Russian into English", "CC-BY-4.0"},
		{"ar-en", "Arabic into English", "Apache-2.0"},
		{"en-jap", "English into Japanese", "Apache-2.0"}, {"en-zh", "English into Chinese", "Apache-2.0"},
		{"en-de", "English into German", "CC-BY-4.0"}, {"en-fr", "English into French", "Apache-2.0"},
	} {
		repository := "Helsinki-NLP/opus-mt-" + one.pair
		list = append(list, Model{
			Name: "opus-mt-" + one.pair, Description: "OPUS-MT translates " + one.description + ".", Repository: repository, Translates: true,
			ApproximateBytes: bytes, Licence: Licence{Name: one.licence, Address: "https://huggingface.co/" + repository},
		})
	}
	return list
}

// WordsModel is the name of the models that read the words in pictures.
const WordsModel = "ppocr-v6-small"

// words is PP-OCR v6 small (https://github.com/PaddlePaddle/PaddleOCR) as RapidOCR 3.10 publishes it in ONNX, with the hashes of its
// list of models.
func words() Model {
	const folder = "https://www.modelscope.cn/models/RapidAI/RapidOCR/resolve/v3.10.0/onnx/"
	return Model{
		Name: WordsModel, Description: "PP-OCR v6 small reads the words in pictures: Latin letters, Chinese, Japanese.", Words: true,
		Addresses: []Address{
			{folder + "PP-OCRv6/det/PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"},
			{folder + "PP-OCRv6/rec/PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"},
			{folder + "PP-OCRv4/cls/ch_ppocr_mobile_v2.0_cls_mobile.onnx", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"},
		},
		ApproximateBytes: 31_750_000, Licence: Licence{Name: "Apache-2.0", Address: "https://github.com/PaddlePaddle/PaddleOCR/blob/main/LICENSE"},
	}
}

// Named returns the published models among what is to be pulled, by their names or their repositories.
func Named(names []string) []Model {
	var found []Model
	for _, name := range names {
		repository, _, _ := strings.Cut(name, "@")
		for _, model := range Models() {
			if name == model.Name || repository == model.Repository && repository != "" {
				found = append(found, model)
			}
		}
	}
	return found
}

// request is one thing to pull: a repository at a revision, or one address, or a file of LAVIS.
type request struct {
	repository string
	revision   string
	// only, when set, is the single file to take from the repository.
	only    string
	address string
	// sha256 is what the file of the address must have, where that is known.
	sha256 string
}

var (
	repositoryPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9._-]{1,96}$`)
	revisionPattern   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$`)
)

// parseRequests turns what the user named into requests and the name of the folder that they go to.
func parseRequests(environment Environment, names []string) ([]request, string, error) {
	if len(names) == 0 {
		return nil, "", hint.Wrap(fmt.Errorf("nothing to pull"), "name one of "+modelNames()+", a Hugging Face repository or an address")
	}
	var requests []request
	folder := ""
	for _, name := range names {
		parsed, base, err := parseName(environment, name)
		if err != nil {
			return nil, "", err
		}
		requests = append(requests, parsed...)
		folder = first(folder, base)
	}
	return requests, folder, nil
}

func parseName(environment Environment, name string) ([]request, string, error) {
	if index := slices.IndexFunc(Models(), func(model Model) bool { return model.Name == name }); index >= 0 {
		return namedRequests(environment, Models()[index]), name, nil
	}
	if strings.Contains(name, "://") {
		return parseAddress(environment, name)
	}
	repository, revision, _ := strings.Cut(name, "@")
	revision = first(revision, "main")
	if !validRepository(repository) || !validRevision(revision) {
		return nil, "", hint.Wrap(fmt.Errorf("%q is neither a model's name, nor a Hugging Face repository, nor an address", name),
			"name one of "+modelNames()+", or a repository such as Salesforce/blip2-itm-vit-g")
	}
	return []request{{repository: repository, revision: revision}}, path.Base(repository), nil
}

func validRepository(repository string) bool {
	return repositoryPattern.MatchString(repository) && !strings.Contains(repository, "..")
}

func validRevision(revision string) bool {
	return revisionPattern.MatchString(revision) && !strings.Contains(revision, "..")
}

func modelNames() string {
	models := Models()
	names := make([]string, len(models))
	for i, model := range models {
		names[i] = model.Name
	}
	return strings.Join(names, ", ")
}

// namedRequests lists what makes up a published model.
func namedRequests(environment Environment, model Model) []request {
	if model.Repository != "" {
		return []request{{repository: model.Repository, revision: "main"}}
	}
	if len(model.Addresses) > 0 {
		var requests []request
		for _, address := range model.Addresses {
			requests = append(requests, request{address: address.URL, sha256: address.SHA256})
		}
		return requests
	}
	requests := []request{{repository: vocabularyRepository, revision: "main", only: "vocab.txt"}}
	for _, file := range model.LavisFiles {
		requests = append(requests, request{address: environment.LavisEndpoint + "/" + file})
	}
	return requests
}

// parseAddress understands the pages of a repository and takes any other address as that of a file.
func parseAddress(environment Environment, address string) ([]request, string, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return nil, "", fmt.Errorf("%q is not an address that can be downloaded", address)
	}
	if endpoint, err := url.Parse(environment.Endpoint); err == nil && endpoint.Host == parsed.Host {
		parts := strings.Split(strings.Trim(strings.TrimPrefix(parsed.Path, endpoint.Path), "/"), "/")
		isPage := len(parts) == 2 && !weightsFile(parts[1]) || len(parts) >= 4 && parts[2] == "tree"
		if len(parts) >= 2 && isPage && validRepository(parts[0]+"/"+parts[1]) {
			revision := "main"
			if len(parts) >= 4 {
				revision = strings.Join(parts[3:], "/")
			}
			if validRevision(revision) {
				return []request{{repository: parts[0] + "/" + parts[1], revision: revision}}, parts[1], nil
			}
		}
	}
	name := path.Base(parsed.Path)
	if !plainName(name) {
		return nil, "", fmt.Errorf("the address %q does not end with a file's name", address)
	}
	return []request{{address: address}}, strings.TrimSuffix(name, path.Ext(name)), nil
}

// weightsFile reports whether a name is that of a file of weights.
func weightsFile(name string) bool {
	switch path.Ext(name) {
	case ".pth", ".safetensors", ".bin":
		return true
	}
	return false
}

var filePattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$`)

// plainName reports whether a name is a file's name on every system and none of our own.
func plainName(name string) bool {
	return filePattern.MatchString(name) && !strings.HasSuffix(name, ".") &&
		!strings.Contains(name, partSuffix) && name != manifestName
}
