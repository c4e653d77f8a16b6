package pdf_test

import (
	"os"
	"strconv"
	"strings"
)

// alive reports whether a process runs; one that ended and that nobody waited
// for does not.
func alive(pid int) bool {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}
