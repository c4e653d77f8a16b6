package board

import (
	"encoding/json"
	"math"
	"strconv"
)

// Number is a figure that may be unknown: null in JSON, a dash for people.
type Number float64

// MarshalJSON implements json.Marshaler.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

// Known reports whether there is a figure.
func (n Number) Known() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// inf stands for what never came, unknown for what nobody can say.
var (
	inf     = math.Inf(1)
	unknown = Number(math.NaN())
)

func text(n int) string { return strconv.Itoa(n) }
