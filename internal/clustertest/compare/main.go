// Command compare asks two servers the same captions and compares their answers: whether the
// first ten hits are equal, in the same order, how often the caption's own picture is the first, and what it took.
//
//	go run ./internal/clustertest/compare -n 500 -rerank 0 annotations.json http://127.0.0.1:8080 http://127.0.0.1:8081
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

func main() {
	count := flag.Int("n", 500, "captions to ask")
	rerank := flag.Int("rerank", 0, "hits that matching reads again")
	seed := flag.Uint64("seed", 1, "which captions")
	flag.Parse()
	if flag.NArg() != 3 {
		fmt.Fprintln(os.Stderr, "usage: compare [flags] annotations.json URL URL")
		os.Exit(2)
	}
	if err := compare(flag.Arg(0), flag.Args()[1:], *count, *rerank, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// caption is a text and the name of its picture.
type caption struct{ text, picture string }

func read(path string) ([]caption, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all struct {
		Images []struct {
			Filename  string `json:"filename"`
			Sentences []struct {
				Raw string `json:"raw"`
			} `json:"sentences"`
		} `json:"images"`
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var captions []caption
	for _, image := range all.Images {
		for _, sentence := range image.Sentences {
			captions = append(captions, caption{sentence.Raw, filepath.Base(image.Filename)})
		}
	}
	return captions, nil
}

// side is what one server answered.
type side struct {
	times []time.Duration
	first int
}

func compare(path string, servers []string, count, rerank int, seed uint64) error {
	captions, err := read(path)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(seed, 1))
	random.Shuffle(len(captions), func(i, j int) { captions[i], captions[j] = captions[j], captions[i] })
	captions = captions[:min(count, len(captions))]
	sides, equal, shared, hits := make([]side, 2), 0, 0, 0
	for _, one := range captions {
		var answers [2][]string
		for i, server := range servers {
			began := time.Now()
			if answers[i], err = ask(server, one.text, rerank); err != nil {
				return err
			}
			sides[i].times = append(sides[i].times, time.Since(began))
			if len(answers[i]) > 0 && answers[i][0] == one.picture {
				sides[i].first++
			}
		}
		if slices.Equal(answers[0], answers[1]) {
			equal++
		}
		hits += len(answers[0])
		for _, name := range answers[0] {
			if slices.Contains(answers[1], name) {
				shared++
			}
		}
	}
	fmt.Printf("%d captions, %d hits: first ten equal %d, in common %.4f\n", len(captions), hits, equal, float64(shared)/float64(max(hits, 1)))
	for i, server := range servers {
		slices.Sort(sides[i].times)
		at := func(share float64) time.Duration {
			return sides[i].times[int(share*float64(len(captions)-1))].Round(time.Millisecond)
		}
		fmt.Printf("%s: R@1 %.4f, median %v, p95 %v, p99 %v\n", server, float64(sides[i].first)/float64(len(captions)), at(.5), at(.95), at(.99))
	}
	return nil
}

// ask gives the names of the first ten hits, whatever their verdict.
func ask(server, text string, rerank int) ([]string, error) {
	query := url.Values{"q": {text}, "limit": {"10"}, "show": {"all"}}
	if rerank > 0 {
		query.Set("rerank_count", strconv.Itoa(rerank))
		query.Set("rerank_ms", "10000")
	} else {
		query.Set("rerank_ms", "0")
	}
	response, err := http.Get(server + "/api/v1/search?" + query.Encode())
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil || response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s: %.200s: %w", server, response.Status, data, err)
	}
	var answer struct {
		Hits []struct {
			Path string `json:"path"`
		} `json:"hits"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, err
	}
	var names []string
	for _, hit := range answer.Hits {
		names = append(names, filepath.Base(hit.Path))
	}
	return names, nil
}
