package objects

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"mekiki/index"
	"mekiki/internal/diskspace"
	"mekiki/internal/hint"
)

// A fault is what a failed call means.
type fault struct {
	err    error
	remedy string
	// passes says that another attempt may succeed.
	passes bool
	kind   kind
}

// faultError is an error of which it is known what has to be changed.
type faultError struct {
	error
	kind kind
}

func (f faultError) Unwrap() error { return f.error }

// kind is what has to be changed.
type kind int

const (
	kindOther kind = iota
	kindAbsent
	kindRange
	kindBucket
	kindCredentials
	kindRights
	kindClock
	kindRegion
	kindFull
	kindCertificate
	kindUnreachable
)

// kinds are the codes of S3's errors that say what is wrong with the settings.
var kinds = map[string]kind{
	codeNoSuchKey:                  kindAbsent,
	"InvalidRange":                 kindRange,
	codeNoSuchBucket:               kindBucket,
	"InvalidBucketName":            kindBucket,
	"InvalidAccessKeyId":           kindCredentials,
	"SignatureDoesNotMatch":        kindCredentials,
	"InvalidToken":                 kindCredentials,
	"ExpiredToken":                 kindCredentials,
	"TokenRefreshRequired":         kindCredentials,
	"AccessDenied":                 kindRights,
	"AllAccessDisabled":            kindRights,
	"AccountProblem":               kindRights,
	"MethodNotAllowed":             kindRights,
	"RequestTimeTooSkewed":         kindClock,
	"RequestExpired":               kindClock,
	"AuthorizationHeaderMalformed": kindRegion,
	"InsufficientStorage":          kindFull,
	"QuotaExceeded":                kindFull,
	"XMinioStorageFull":            kindFull,
	"InvalidRegion":                kindRegion,
	"PermanentRedirect":            kindRegion,
	"TemporaryRedirect":            kindRegion,
}

// faultOf tells what an error means, and what to do.
func (s *S3) faultOf(err error) fault {
	if errors.Is(err, index.ErrDamaged) {
		return fault{err: err, remedy: "bring the object back from a backup of the store; mekiki cluster check lists what is damaged", passes: true}
	}
	for _, final := range []error{ErrRange, ErrRefused, ErrConflict, index.ErrVersion} {
		if errors.Is(err, final) {
			return fault{err: err, remedy: hint.Of(err)}
		}
	}
	if given, ok := errors.AsType[answer](err); ok {
		return s.faultOfAnswer(given)
	}
	return s.faultOfConnection(err)
}

// faultOfAnswer tells what the store's answer means.
func (s *S3) faultOfAnswer(given answer) fault {
	refused := func(kind kind, remedy string) fault {
		return fault{err: fmt.Errorf("%w: %s, bucket %s: %w", ErrRefused, s.where.Address, s.where.Bucket, given), remedy: remedy, kind: kind}
	}
	switch found := kinds[given.Code]; found {
	case kindAbsent:
		return fault{err: ErrAbsent, kind: kindAbsent}
	case kindRange:
		return fault{err: ErrRange, kind: kindRange}
	case kindBucket:
		return refused(found, fmt.Sprintf("make the bucket %s, or correct store.bucket", s.where.Bucket))
	case kindCredentials:
		return refused(found, "correct store.access-key and store.secret-key; keys that are lent also need store.session-token, and end")
	case kindRights:
		return refused(found, fmt.Sprintf("give these credentials the rights to get, put, list and delete objects of the bucket %s", s.where.Bucket))
	case kindClock:
		return refused(found, "set the clock of this machine, or that of the store")
	case kindFull:
		full := refused(found, "make room in the store, or raise the quota")
		full.err = fmt.Errorf("%w: %w", full.err, diskspace.ErrFull)
		return full
	case kindRegion:
		switch {
		case given.Region != "" && strings.HasSuffix(s.where.Address, ".amazonaws.com"):
			return refused(found, fmt.Sprintf("set store.region to %q, and store.address to https://s3.%s.amazonaws.com", given.Region, given.Region))
		case given.Region != "":
			return refused(found, fmt.Sprintf("set store.region to %q", given.Region))
		}
		return refused(found, "set store.region to the region of the bucket")
	}
	switch {
	case passingCodes[given.Code], given.Status == http.StatusTooManyRequests, given.Status == http.StatusRequestTimeout,
		given.Status >= 500 && given.Status != http.StatusNotImplemented:
		return fault{err: fmt.Errorf("%w: %s: %w", ErrUnavailable, s.where.Address, given), remedy: "look at the log of the store; Mekiki goes on when it answers", passes: true}
	case strings.Contains(given.Message, "HTTP request to an HTTPS server"):
		return refused(kindCertificate, "begin store.address with https://")
	}
	return refused(kindOther, "look at the log of the store")
}

// passingCodes are the codes of errors that another attempt may not meet: overload, and bytes changed on the way.
var passingCodes = map[string]bool{
	"InternalError": true, "SlowDown": true, "ServiceUnavailable": true, "RequestTimeout": true, "OperationAborted": true, "ConditionalRequestConflict": true, "Throttling": true,
	"BadDigest": true, "IncompleteBody": true, "XAmzContentSHA256Mismatch": true, "InvalidDigest": true,
}

// faultOfConnection tells what the error of a connection means.
func (s *S3) faultOfConnection(err error) fault {
	unavailable := fmt.Errorf("%w: %w", ErrUnavailable, err)
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return fault{err: unavailable, remedy: "set store.ca-file to the certificate that the store's was signed with", kind: kindCertificate}
	}
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, hostname := errors.AsType[x509.HostnameError](err)
	_, verification := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case hostname:
		return fault{err: unavailable, remedy: "write in store.address the name that the store's certificate has", kind: kindCertificate}
	case invalid || verification:
		return fault{err: unavailable, remedy: "renew the store's certificate, and look at the clock of this machine", kind: kindCertificate}
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return fault{err: unavailable, remedy: "begin store.address with http://", kind: kindCertificate}
	}
	return fault{err: unavailable, remedy: fmt.Sprintf("start the store at %s, or correct store.address", s.where.Address), passes: true, kind: kindUnreachable}
}
