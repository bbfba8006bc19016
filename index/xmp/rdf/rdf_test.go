package rdf

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

var (
	rating  = Name{"http://ns.adobe.com/xap/1.0/", "xmp", "Rating"}
	subject = Name{"http://purl.org/dc/elements/1.1/", "dc", "subject"}
	title   = Name{"http://purl.org/dc/elements/1.1/", "dc", "title"}
	note    = Name{"http://example/", "xmp", "note"} // whose usual prefix is another namespace's
)

// samples are sidecars in the forms that programs write.
var samples = map[string]string{
	"darktable": `<?xml version="1.0" encoding="UTF-8"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:darktable="http://darktable.sf.net/"
   xmp:Rating="1" darktable:xmp_version="5" darktable:auto_presets_applied="1">
   <darktable:history><rdf:Seq><rdf:li darktable:num="0" darktable:operation="exposure" darktable:params="gz03&#xA;eJx"/></rdf:Seq></darktable:history>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
`,
	"digiKam": `<?xpacket begin="` + "\uFEFF" + `" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#">
<dc:subject><rdf:Bag><rdf:li>cat</rdf:li></rdf:Bag></dc:subject><dc:title><rdf:Alt><rdf:li xml:lang="de">Katze</rdf:li><rdf:li xml:lang="x-default">Cat</rdf:li></rdf:Alt></dc:title>
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag><rdf:li><rdf:Description mwg-rs:Name="Ada" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5" stArea:y="0.5"/></rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
</rdf:Description></rdf:RDF></x:xmpmeta><!-- kept --><?xpacket end="w"?>`,
	"other prefixes": `<r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://example/other/" xmlns:xmp="http://example/xmp/">
<r:Description r:about="uuid:1" dc:subject="not ours" xmp:Rating="9"/><r:Description r:about="uuid:1"><p:subject xmlns:p="http://purl.org/dc/elements/1.1/">one</p:subject><![CDATA[ ]]></r:Description></r:RDF>`,
	"default": `<RDF xmlns="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><Description xmlns:q="http://www.w3.org/1999/02/22-rdf-syntax-ns#" q:about=""><title xmlns="http://purl.org/dc/elements/1.1/">plain</title></Description></RDF>`,
	"empty":   `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>`,
}

// change changes each kind of property.
func change(d *Document) {
	d.SetText(rating, "4")
	d.Add(subject, Bag, "owl", "a < b")
	d.SetLanguage(title, "Owl")
	d.SetText(note, "n")
}

// holds fails unless a document says what change made it say.
func holds(t *testing.T, d *Document) {
	t.Helper()
	stars, _ := d.Text(rating)
	words, _ := d.Text(title)
	other, _ := d.Text(note)
	list := d.List(subject)
	if stars != "4" || words != "Owl" || other != "n" || !slices.Contains(list, "owl") || !slices.Contains(list, "a < b") {
		data, _ := d.Bytes()
		t.Errorf("%q %q %q %q\n%s", stars, words, other, list, data)
	}
}

func TestChange(t *testing.T) {
	for name, text := range samples {
		d, err := Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		before := d.List(subject)
		change(d)
		holds(t, d)
		data, err := d.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(data)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, data)
		}
		holds(t, again)
		if diff := gocmp.Diff(unknown(t, []byte(text)), unknown(t, data)); diff != "" {
			t.Errorf("%s: what is not Mekiki's changed (-before +after):\n%s\n%s", name, diff, data)
		}
		again.RemoveItems(subject, "owl", "a < b")
		if got := again.List(subject); !slices.Equal(before, got) {
			t.Errorf("%s: %q is left of %q", name, got, before)
		}
		again.Remove(rating)
		again.RemoveLanguage(title)
		if _, there := again.Text(rating); there {
			t.Errorf("%s: the rating is still there", name)
		}
		if strings.Contains(text, "Katze") {
			if other, _ := again.Text(title); other != "Katze" {
				t.Errorf("%s: the title in German is %q", name, other)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, text := range []string{
		"", "x", "<a>", "<a/>", "<a/><b/>", samples["empty"][:60], strings.Replace(samples["empty"], "x:xmpmeta xm", "x:xmpmeta a='1' a='2' xm", 1),
		strings.ReplaceAll(samples["digiKam"], ` xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"`, ""), "\xFF\xFE<", `<!DOCTYPE a [<!ENTITY b "c">]>` + samples["empty"],
		`<?xml version="1.0" encoding="ISO-8859-1"?>` + samples["empty"], strings.Repeat("<a>", 100) + strings.Repeat("</a>", 100),
		strings.Repeat(" ", MaximumBytes) + samples["empty"], samples["empty"] + "x",
	} {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrRefused) {
			t.Errorf("%.60q: %v", text, err)
		}
	}
}

// unknown counts what a sidecar says but for the properties that change sets: each text, attribute, comment and
// instruction, with the names above it.
func unknown(t *testing.T, data []byte) map[string]int {
	t.Helper()
	found := map[string]int{}
	decoder := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, byteOrderMark)))
	var path []string
	own := func(name xml.Name) bool {
		return slices.ContainsFunc([]Name{rating, subject, title, note}, func(n Name) bool { return n.Space == name.Space && n.Local == name.Local })
	}
	hidden := 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			maps.DeleteFunc(found, func(_ string, count int) bool { return count == 0 })
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		at := strings.Join(path, "/")
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Space+token.Name.Local)
			if hidden > 0 || own(token.Name) && len(path) <= 5 && len(path) > 1 && strings.HasSuffix(path[len(path)-2], Space+"Description") {
				hidden++
			}
			for _, a := range token.Attr {
				if hidden == 0 && !own(a.Name) && a.Name.Space != "xmlns" && a.Name.Local != "xmlns" && (a.Name.Space != Space || a.Value != "") {
					found[fmt.Sprint(strings.Join(path, "/"), "@", a.Name.Space, a.Name.Local, "=", a.Value)]++
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
			hidden = max(0, hidden-1)
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" && hidden == 0 {
				found[at+" "+text]++
			}
		case xml.Comment:
			found[at+" comment "+string(token)]++
		case xml.ProcInst:
			found[at+" instruction "+token.Target+string(token.Inst)]++
		}
	}
}

// FuzzDocument: what is read is written, and read again, with all that is not ours.
func FuzzDocument(f *testing.F) {
	for _, text := range samples {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Parse(data)
		if err != nil {
			return
		}
		for _, top := range d.descriptions() {
			for _, name := range []Name{rating, subject, title, note} {
				if attribute(top, name.Space, name.Local) != nil && len(properties(top, name)) > 0 {
					return // a property of two values, of which one is to go
				}
			}
		}
		before := d.List(subject)
		change(d)
		holds(t, d)
		written, err := d.Bytes()
		if err != nil {
			return
		}
		again, err := Parse(written)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%q\n%q", err, data, written)
		}
		holds(t, again)
		if diff := gocmp.Diff(unknown(t, data), unknown(t, written)); diff != "" && len(before) == 0 && !bytes.Contains(data, []byte("title")) && !bytes.Contains(data, []byte("Rating")) {
			t.Fatalf("%s\n%q\n%q", diff, data, written)
		}
		again.RemoveItems(subject, "owl", "a < b")
		again.Remove(rating)
		again.Remove(title)
	})
}
