package objects

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"mekiki/index/cluster/settings"
	"mekiki/internal/clustertest"
	"mekiki/internal/clustertest/storetest"
)

// the finds that an examination must have.
func expect(t *testing.T, where settings.Store, check string, verdict Verdict, detail, remedy string) {
	t.Helper()
	findings := Examine(t.Context(), where)
	for _, finding := range findings {
		if finding.Verdict == VerdictFailed && finding.Remedy == "" {
			t.Errorf("no remedy: %s", finding)
		}
		if finding.Check == check && finding.Verdict == verdict && strings.Contains(finding.Detail, detail) && strings.Contains(finding.Remedy, remedy) {
			return
		}
	}
	t.Errorf("no %s %s with %q and %q in %q", check, verdict, detail, remedy, findings)
}

// TestExamine: what a store in memory shows: all is well, and each thing that can be wrong with a way to it.
func TestExamine(t *testing.T) {
	where := at(storetest.StartMemory(t, "bucket"))
	if findings := Examine(t.Context(), where); Failed(findings) || len(findings) < 5 {
		t.Errorf("%q", findings)
	}
	for info, err := range open(t, where).List(t.Context(), "") {
		t.Errorf("the examination leaves %v, %v", info, err)
	}
	missing := where
	missing.Bucket = "another"
	expect(t, missing, "bucket", VerdictFailed, "another", "make the bucket another")

	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	down := where
	down.Address = "http://" + closed.Addr().String()
	expect(t, down, "store", VerdictFailed, "connection refused", "start the store")

	unnamed := where
	unnamed.Address = "http://no-such-host.invalid"
	expect(t, unnamed, "store", VerdictFailed, "no-such-host", "store.address")

	proxy := storetest.StartProxy(t, where.Address)
	proxy.Next(100, storetest.Unavailable)
	busy := where
	busy.Address = proxy.URL
	expect(t, busy, "store", VerdictFailed, "503 SlowDown", "log of the store")
	proxy.Reset()
	proxy.Next(1, storetest.None)
	proxy.Next(1, storetest.None)
	proxy.Next(100, storetest.FlippedAnswer)
	expect(t, busy, "rights", VerdictFailed, "damaged", "")
}

// TestExamineUnconditional: a store that ignores conditions is not fit.
func TestExamineUnconditional(t *testing.T) {
	target, err := url.Parse(storetest.StartMemory(t, "bucket"))
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		request.Header.Del("If-None-Match")
		forward.ServeHTTP(w, request)
	}))
	defer server.Close()
	expect(t, at(server.URL), "rights", VerdictFailed, "overwrites an object", "conditional writes")
}

// TestExamineCertificates: what is wrong with a certificate, and http for https.
func TestExamineCertificates(t *testing.T) {
	target, err := url.Parse(storetest.StartMemory(t, "bucket"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(target))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	where := at(server.URL)
	expect(t, where, "certificate", VerdictFailed, "unknown authority", "store.ca-file")
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	where.CAFile = file
	expect(t, where, "rights", VerdictOK, "put, get", "")
	named := where
	named.Address = strings.Replace(where.Address, "127.0.0.1", "localhost", 1)
	expect(t, named, "certificate", VerdictFailed, "localhost", "name that the store's certificate has")
	plain := where
	plain.Address = strings.Replace(where.Address, "https:", "http:", 1)
	expect(t, plain, "certificate", VerdictFailed, "HTTPS server", "https://")
	secure := where
	secure.Address = strings.Replace(target.String(), "http:", "https:", 1)
	expect(t, secure, "certificate", VerdictFailed, "HTTP response", "http://")
	for content, want := range map[string]string{"no certificate": "has no certificate", "": "has no certificate"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		expect(t, where, "store", VerdictFailed, want, "PEM")
	}
	where.CAFile = filepath.Join(t.TempDir(), "none.pem")
	expect(t, where, "store", VerdictFailed, "no such file", "PEM")
}

// TestExamineGateway: each thing that a real store refuses is named.
func TestExamineGateway(t *testing.T) {
	gateway := clustertest.StartVersitygw(t, []string{"bucket"}, "--region", "eu-north-9")
	where := ofGateway(gateway.Address())
	expect(t, where, "region", VerdictFailed, "eu-north-9", "store.region")
	where.Region = "eu-north-9"
	if findings := Examine(t.Context(), where); Failed(findings) {
		t.Errorf("%q", findings)
	}
	wrong := where
	wrong.Bucket = "another"
	expect(t, wrong, "bucket", VerdictFailed, "NoSuchBucket", "make the bucket another")
	wrong = where
	wrong.AccessKey = "nobody"
	expect(t, wrong, "credentials", VerdictFailed, "InvalidAccessKeyId", "store.access-key")
	wrong = where
	wrong.SecretKey = "wrong"
	expect(t, wrong, "credentials", VerdictFailed, "SignatureDoesNotMatch", "store.secret-key")
	wrong = where
	wrong.AccessKey, wrong.SecretKey = clustertest.StrangerAccess, clustertest.StrangerSecret
	expect(t, wrong, "rights", VerdictFailed, "AccessDenied", "rights to get, put, list and delete")
	// In the bubble it is the year 2000.
	synctest.Test(t, func(t *testing.T) {
		expect(t, where, "clock", VerdictFailed, "behind that of the store", "set the clock")
	})
	gateway.Kill(t)
	expect(t, where, "store", VerdictFailed, "connection refused", "start the store")
}

// TestExamineReadOnlyGateway: of a store that may be read alone, the right that lacks is named.
func TestExamineReadOnlyGateway(t *testing.T) {
	gateway := clustertest.StartVersitygw(t, []string{"bucket"}, "--readonly")
	expect(t, ofGateway(gateway.Address()), "rights", VerdictFailed, "the right to put", "rights to get, put, list and delete")
}
