package ort

import (
	"fmt"
	"runtime"
)

// table pins where each platform's library comes from.
type table struct {
	platforms map[string]release // by GOOS/GOARCH
	npm       npmPackage
}

// release is one platform's official archive and the one file we need of it.
type release struct {
	address   string // of the archive
	sha256    string // of the archive, hex
	member    string // path of the library in the archive
	file      string // name we give the library
	npmMember string // path of the library in the npm tarball
	npmSHA256 string // of that library, hex
}

// npmPackage is the npm package that carries the same libraries.
type npmPackage struct {
	name, version string
	sha512        string // of the tarball, base64 as npm writes integrity
}

// pinned returns the table of the pinned release. The archives' hashes are those
// that independent public projects pin; the npm hashes are of the package as
// published.
func pinned() *table {
	archive := func(platform, extension string) string {
		return fmt.Sprintf("https://github.com/microsoft/onnxruntime/releases/download/v%[1]s/onnxruntime-%[2]s-%[1]s.%[3]s",
			Version, platform, extension)
	}
	return &table{
		npm: npmPackage{
			name: "onnxruntime-node", version: Version,
			sha512: "twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==",
		},
		platforms: map[string]release{
			"linux/amd64": {
				address:   archive("linux-x64", "tgz"),
				sha256:    "a5ed5a3cac51fbb2e90da632ae43d19212faaa20e76484e62bcb7c23ddb3b3fd",
				member:    "onnxruntime-linux-x64-" + Version + "/lib/libonnxruntime.so." + Version,
				file:      "libonnxruntime.so",
				npmMember: "package/bin/napi-v6/linux/x64/libonnxruntime.so.1",
				npmSHA256: "ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23",
			},
			"linux/arm64": {
				address:   archive("linux-aarch64", "tgz"),
				sha256:    "e16a27a8ed330bbc698df7330b0cf56e722f354e3bcc92118682c74ef3c3e3da",
				member:    "onnxruntime-linux-aarch64-" + Version + "/lib/libonnxruntime.so." + Version,
				file:      "libonnxruntime.so",
				npmMember: "package/bin/napi-v6/linux/arm64/libonnxruntime.so.1",
				npmSHA256: "1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76",
			},
			"darwin/arm64": {
				address:   archive("osx-arm64", "tgz"),
				sha256:    "6ebb5062a934537c352937821f9fe9718e7de1a2db1122a93dd363ffd53a7012",
				member:    "onnxruntime-osx-arm64-" + Version + "/lib/libonnxruntime." + Version + ".dylib",
				file:      "libonnxruntime.dylib",
				npmMember: "package/bin/napi-v6/darwin/arm64/libonnxruntime." + Version + ".dylib",
				npmSHA256: "685d2be5dba1309c89d3a5324b7fd06a5c42f1a61bfea32d14c4cc28d072121d",
			},
			"windows/amd64": {
				address:   archive("win-x64", "zip"),
				sha256:    "c6ba983baf5681af108599675d2a89c2d145512d02de28aed0bff177cd0ba949",
				member:    "onnxruntime-win-x64-" + Version + "/lib/onnxruntime.dll",
				file:      "onnxruntime.dll",
				npmMember: "package/bin/napi-v6/win32/x64/onnxruntime.dll",
				npmSHA256: "508c362f5673483dd3a086379c392795b2e42d10d5e6f3f90ebd7ac21c97af67",
			},
			"windows/arm64": {
				address:   archive("win-arm64", "zip"),
				sha256:    "e53db8a50b23ae35be901cc93428baf997dc8d420333b097b2eae53d3ea9f2d3",
				member:    "onnxruntime-win-arm64-" + Version + "/lib/onnxruntime.dll",
				file:      "onnxruntime.dll",
				npmMember: "package/bin/napi-v6/win32/arm64/onnxruntime.dll",
				npmSHA256: "6c3a2abf5c6aca11c48a0d338a91af309f2266f25ce2e4084e6a87bbcb0fbfd0",
			},
		},
	}
}

// here returns this machine's row.
func (t *table) here() (release, error) {
	return t.platform(runtime.GOOS, runtime.GOARCH)
}

func (t *table) platform(system, architecture string) (release, error) {
	row, ok := t.platforms[system+"/"+architecture]
	if !ok {
		return release{}, fmt.Errorf("%w: %s/%s", ErrUnsupportedPlatform, system, architecture)
	}
	return row, nil
}
