package evaluate

import (
	"fmt"
	"hash/fnv"
	"path"
	"strings"

	"mekiki/index"
)

// A set of queries by name is made for every dataset: pictures keep their file
// names and are given a title and a camera that have nothing to do with what
// they show, as happens in people's libraries. Matching alone refuses them all.

func madeUpPlaces() []string {
	return []string{"Lisbon", "Kyoto", "Oslo", "Lima", "Cairo", "Quebec", "Hanoi", "Zagreb", "Nairobi", "Perth", "Tallinn", "Bogota"}
}

func madeUpCameras() []string {
	return []string{"Nikon Z6", "Canon EOS R5", "Fujifilm X-T4", "Leica Q2", "Olympus PEN-F", "Pentax K-1", "Ricoh GR III", "Sony A7C"}
}

// pick chooses by a hash of the picture's path, so that it depends on nothing
// else.
func pick(list []string, salt, name string) string {
	hash := fnv.New32a()
	hash.Write([]byte(salt + name))
	return list[int(hash.Sum32()%uint32(len(list)))]
}

// madeUpTitle is a place with the picture's number in the dataset.
func madeUpTitle(name string, number int) string {
	return fmt.Sprintf("%s %d", pick(madeUpPlaces(), "place", name), number+1)
}

// setNames gives a record the names of its picture.
func (n Names) setNames(record *index.Record, own string, number int) {
	record.Files[0].Path = n.path(own, number)
	record.Metadata = index.Metadata{}
	if n == NamesOwn {
		record.Metadata.Title = madeUpTitle(own, number)
		record.Metadata.Camera = pick(madeUpCameras(), "camera", own)
	}
}

// nameQuestions asks for pictures by file name and title, and for those of
// each camera.
func (e *evaluation) nameQuestions() []question {
	var questions []question
	cameras := map[string]map[index.ID]bool{}
	numbers := map[index.ID]int{}
	for number, picture := range e.pictures {
		if _, again := numbers[picture.id]; !again { // the first of equal files gave the record its names
			numbers[picture.id] = number
			camera := pick(madeUpCameras(), "camera", picture.image.Path)
			if cameras[camera] == nil {
				cameras[camera] = map[index.ID]bool{}
			}
			cameras[camera][picture.id] = true
		}
	}
	for i, picture := range e.asked {
		own := e.pictures[numbers[picture.id]].image.Path
		name := path.Base(own)
		right := map[index.ID]bool{picture.id: true}
		text := strings.TrimSuffix(name, path.Ext(name))
		if i%2 == 1 {
			text = madeUpTitle(own, numbers[picture.id])
		}
		questions = append(questions, question{text: text, right: right, cluster: i})
	}
	for i, camera := range madeUpCameras() {
		if len(cameras[camera]) > 0 {
			questions = append(questions, question{text: camera, right: cameras[camera], cluster: len(e.asked) + i})
		}
	}
	return questions
}
