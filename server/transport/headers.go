package transport

import "github.com/labstack/echo/v4"

// Content security policies. The page has all its parts from this server and no
// script or style inside its HTML; answers of the API are nothing to be shown.
const (
	PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; " +
		"font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
	dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox"
)

// Secure sets the headers that bind browsers. Handlers of pages loosen the
// policy for themselves.
func Secure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		header := c.Response().Header()
		header.Set("Content-Security-Policy", dataPolicy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		header.Set("Cache-Control", "no-store")
		return next(c)
	}
}
