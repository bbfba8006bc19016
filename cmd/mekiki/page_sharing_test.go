package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mekiki/server/auth"
)

// TestPageSharing makes a link to a collection on the page, follows it as somebody without a token, and ends it.
func TestPageSharing(t *testing.T) {
	h := newHanded(t)
	if status, _, said := h.run("", "index", h.pictures, "--no-captions"); status != 0 {
		t.Fatalf("index: %d %s", status, said)
	}
	token, secret, err := auth.NewToken("admin", auth.ScopeAdmin)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.folder, "tokens.txt")
	if err := os.WriteFile(file, []byte(token.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := openPage(t, h.serve("--token-file", file))
	p.signIn(secret)
	p.awaited(`fetch("/api/v1/edits", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ids: ["1", "2"], add_collections: ["Summer 2024"] }) }).then((answer) => answer.status)`)
	link := p.makeLink()
	if !strings.HasPrefix(link, "http://127.0.0.1") {
		t.Fatalf("the link is %q", link)
	}
	signedIn := `fetch("/api/v1/session", { method: "DELETE" }).then(() => "out")`
	p.awaited(signedIn)
	_, visit, _ := strings.Cut(link, "/#")
	p.visit("#" + visit)
	inPage[bool](p, `(location.reload(), true)`)
	p.wait(`document.querySelectorAll(".tile img.loaded").length === 2 && document.querySelector("h1")?.textContent === "Summer 2024"`)
	p.asVisitor()

	name, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(name), "share-")
	p.awaited(signedIn)
	p.visit("")
	p.signIn(secret)
	p.awaited(fmt.Sprintf(`fetch("/api/v1/shares/%s", { method: "DELETE" }).then((answer) => answer.status)`, string(name)[at:at+len("share-")+10]))
	p.awaited(signedIn)
	p.visit("?again#" + visit)
	p.wait(`document.body.innerText.includes("This link shows nothing any more") && document.getElementById("token")`)
}

func (p page) signIn(secret string) {
	p.t.Helper()
	p.visit("")
	p.wait(`document.getElementById("token")`)
	inPage[bool](p, fmt.Sprintf(`((field) => { field.value = %q; field.dispatchEvent(new Event("input", { bubbles: true })); field.form.requestSubmit(); return true; })(document.getElementById("token"))`, secret))
	p.wait(`document.querySelectorAll(".tile img.loaded").length === 3`)
}

// makeLink makes a link to the collection and gives it.
func (p page) makeLink() string {
	p.t.Helper()
	p.visit("collections")
	p.press(`[aria-label="Share “Summer 2024” by a link"]`)
	p.wait(`document.querySelector("dialog.sheet[open] form")`)
	inPage[bool](p, `(document.querySelector("dialog.sheet form").requestSubmit(), true)`)
	p.wait(`document.getElementById("share-link")?.value.includes("#share=")`)
	p.wait(`document.querySelectorAll("dialog.sheet li").length === 1`)
	p.screenshot("sharing-link")
	return inPage[string](p, `document.getElementById("share-link").value`)
}

// asVisitor looks at what a visitor sees: the pictures, searched and opened, and nothing that is not for them.
func (p page) asVisitor() {
	p.t.Helper()
	p.screenshot("sharing-visit")
	if inPage[bool](p, `location.hash !== "" || document.querySelector(".tab, .alert, #filter-button, .cell button, .work-line") !== null`) {
		p.t.Error("a visitor is shown what is not for them")
	}
	p.visit("?q=red&show=all")
	p.wait(`document.querySelectorAll(".tile").length === 2 && !document.querySelector(".alert")`)
	p.press(".tile")
	p.wait(`document.querySelector("dialog.detail[open] .facts") && [...document.querySelectorAll("dialog.detail .detail-stage img")].some((each) => each.naturalWidth > 0)`)
	p.screenshot("sharing-open")
	if said := inPage[string](p, `document.querySelector("dialog.detail").innerText`); strings.Contains(said, "Open original") || strings.Contains(said, "Tags") || strings.Contains(said, ".png\n") && !strings.Contains(said, "1.png") && !strings.Contains(said, "2.png") {
		p.t.Errorf("a visitor reads %s", said)
	}
	if total := inPage[int](p, `(() => { const request = new XMLHttpRequest(); request.open("GET", "/api/v1/records", false); request.send(); return JSON.parse(request.responseText).total; })()`); total != 2 {
		p.t.Errorf("a visitor lists %d records", total)
	}
}
