// Package problem is the one shape of errors of the HTTP API (RFC 9457), and the table from errors to it.
//
//	return problem.Newf(problem.NotFound, "there is no job %s", id)
//	return problem.Invalid("limit", "must be at most %d", 200)
//	answer := problem.From(err) // of any error
//
// The codes are a public contract: they are in openapi.json, and clients go by them. Titles and details are for people.
package problem

import (
	"maps"
	"net/http"
	"slices"

	"mekiki/search/contract"
)

// Code names one kind of problem. Codes are a public contract; those of package
// search are codes too.
type Code string

// The codes of the server itself.
const (
	InvalidRequest       Code = "invalid_request"
	Unauthorized         Code = "unauthorized"
	Forbidden            Code = "forbidden"
	CrossSite            Code = "cross_site"
	NotFound             Code = "not_found"
	MethodNotAllowed     Code = "method_not_allowed"
	NotAcceptable        Code = "not_acceptable"
	SlowRequest          Code = "slow_request"
	Conflict             Code = "conflict"
	PreconditionFailed   Code = "precondition_failed"
	BodyTooLarge         Code = "body_too_large"
	UnsupportedMediaType Code = "unsupported_media_type"
	RangeNotSatisfiable  Code = "range_not_satisfiable"
	InvalidImage         Code = "invalid_image"
	ImageTooLarge        Code = "image_too_large"
	TooManyRequests      Code = "too_many_requests"
	Cancelled            Code = "cancelled"
	Internal             Code = "internal"
	Unsupported          Code = "unsupported"
	Unavailable          Code = "unavailable"
	Timeout              Code = "timeout"
	InsufficientStorage  Code = "insufficient_storage"
	HeadersTooLarge      Code = "headers_too_large"
	ExpectationFailed    Code = "expectation_failed"
	VersionNotSupported  Code = "version_not_supported"
	IdempotencyKeyReused Code = "idempotency_key_reused"
)

// StatusClientClosed is what a log shows when the client went away; nobody
// receives it.
const StatusClientClosed = 499

// meaning is what a code stands for.
type meaning struct {
	status int
	title  string
}

// meanings is the one table from codes to answers. It never changes.
var meanings = map[Code]meaning{
	InvalidRequest:       {http.StatusBadRequest, "Invalid request"},
	Unauthorized:         {http.StatusUnauthorized, "Authentication required"},
	Forbidden:            {http.StatusForbidden, "Forbidden"},
	CrossSite:            {http.StatusForbidden, "Cross-site request refused"},
	NotFound:             {http.StatusNotFound, "Not found"},
	MethodNotAllowed:     {http.StatusMethodNotAllowed, "Method not allowed"},
	NotAcceptable:        {http.StatusNotAcceptable, "Not acceptable"},
	SlowRequest:          {http.StatusRequestTimeout, "Request timeout"},
	Conflict:             {http.StatusConflict, "Conflict"},
	PreconditionFailed:   {http.StatusPreconditionFailed, "Precondition failed"},
	BodyTooLarge:         {http.StatusRequestEntityTooLarge, "Request body too large"},
	UnsupportedMediaType: {http.StatusUnsupportedMediaType, "Unsupported media type"},
	RangeNotSatisfiable:  {http.StatusRequestedRangeNotSatisfiable, "Range not satisfiable"},
	InvalidImage:         {http.StatusUnprocessableEntity, "Unreadable image"},
	ImageTooLarge:        {http.StatusRequestEntityTooLarge, "Image too large"},
	TooManyRequests:      {http.StatusTooManyRequests, "Too many requests"},
	Cancelled:            {StatusClientClosed, "Client closed request"},
	Internal:             {http.StatusInternalServerError, "Internal server error"},
	Unsupported:          {http.StatusNotImplemented, "Not supported by this server"},
	Unavailable:          {http.StatusServiceUnavailable, "Temporarily unavailable"},
	Timeout:              {http.StatusServiceUnavailable, "Processing timed out"},
	InsufficientStorage:  {http.StatusInsufficientStorage, "Insufficient storage"},
	HeadersTooLarge:      {http.StatusRequestHeaderFieldsTooLarge, "Request headers too large"},
	ExpectationFailed:    {http.StatusExpectationFailed, "Expectation failed"},
	VersionNotSupported:  {http.StatusHTTPVersionNotSupported, "HTTP version not supported"},
	IdempotencyKeyReused: {http.StatusUnprocessableEntity, "Idempotency key used before"},

	Code(contract.CodeEmptyRequest):          {http.StatusBadRequest, "Empty search request"},
	Code(contract.CodeInvalidQuery):          {http.StatusBadRequest, "Invalid query syntax"},
	Code(contract.CodeUnbalancedQuote):       {http.StatusBadRequest, "Unclosed quotation mark"},
	Code(contract.CodeUnbalancedParenthesis): {http.StatusBadRequest, "Unbalanced parenthesis"},
	Code(contract.CodeUnknownFilter):         {http.StatusBadRequest, "Unknown filter"},
	Code(contract.CodeInvalidFilterValue):    {http.StatusBadRequest, "Invalid filter value"},
	Code(contract.CodeInvalidDate):           {http.StatusBadRequest, "Invalid date"},
	Code(contract.CodeControlCharacter):      {http.StatusBadRequest, "Control character in text"},
	Code(contract.CodeTooLarge):              {http.StatusRequestEntityTooLarge, "Request exceeds a limit"},
	Code(contract.CodeNothingWanted):         {http.StatusBadRequest, "Query only excludes"},
	Code(contract.CodeInvalidOption):         {http.StatusBadRequest, "Invalid option"},
	Code(contract.CodeInvalidCursor):         {http.StatusBadRequest, "Invalid cursor"},
	Code(contract.CodeInvalidCrop):           {http.StatusBadRequest, "Invalid crop"},
	Code(contract.CodeRecordNotFound):        {http.StatusNotFound, "Record not found"},
	Code(contract.CodeImageUndecodable):      {http.StatusUnprocessableEntity, "Unreadable image"},
	Code(contract.CodeSpaceMismatch):         {http.StatusConflict, "Library uses a different model"},
	// search.CodeUnavailable is Unavailable.
}

// Codes lists the codes, sorted.
func Codes() []Code { return slices.Sorted(maps.Keys(meanings)) }

// Title is what the code stands for, in words: "" of a code that is not in the table.
func (c Code) Title() string { return meanings[c].title }

// Status is the HTTP status of the code: 0 of a code that is not in the table.
func (c Code) Status() int { return meanings[c].status }
